"""A tape without Python: f is recorded once as a list of instructions, and compiled code runs it at any x.

The recorder holds no numbers, only what is done with which.  The forward run evaluates the instructions; the run back
decides anew what each one was, and multiplies by partial derivatives made from the values that are there anyway.
Rejected: to store these derivatives on the way forward.  The way back then has no decisions left, but waits for 16
bytes more an instruction, and is four times slower where they do not fit into the cache; the branches are foreseen.

Source: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. (2008), section 4.6, statement-level tapes; what is
recorded must not depend on x, as everywhere in such tools.
"""

from __future__ import annotations

import numpy as np

from exp_core import Skip
from exp_core.compiled import njit

LONGEST = 2_000_000  # operations; recording is Python
ADD, SUB, MUL, DIV, EXP, LOG, TANH = range(7)


class Recorder:
    """The instructions so far; numbered after the variables and constants, which need none."""

    def __init__(self, n):
        self.n, self.constants, self.instructions = n, {}, []

    def number(self, value):
        """The place of an operand: constants are counted down from -1, since their number is not known yet."""
        return value.place if isinstance(value, Place) else self.constants.setdefault(value, -1 - len(self.constants))

    def record(self, code, a, b=0.0):
        """Write down one instruction; its result's place."""
        self.instructions.append((code, self.number(a), self.number(b)))
        return Place(self.n + len(self.instructions) - 1, self)

    def exp(self, a):
        return self.record(EXP, a)

    def log(self, a):
        return self.record(LOG, a)

    def tanh(self, a):
        return self.record(TANH, a)


class Place:
    """A number that is not known yet."""

    __slots__ = ("place", "recorder")

    def __init__(self, place, recorder):
        self.place, self.recorder = place, recorder

    def __add__(self, other):
        return self.recorder.record(ADD, self, other)

    def __sub__(self, other):
        return self.recorder.record(SUB, self, other)

    def __mul__(self, other):
        return self.recorder.record(MUL, self, other)

    def __truediv__(self, other):
        return self.recorder.record(DIV, self, other)

    def __neg__(self):
        return self.recorder.record(SUB, 0.0, self)

    def __rsub__(self, other):
        return self.recorder.record(SUB, other, self)

    def __rtruediv__(self, other):
        return self.recorder.record(DIV, other, self)

    __radd__, __rmul__ = __add__, __mul__


def recorded(f, x, *data):
    """The instructions of f: code, left, right (each of length k), the constants, the result's place, and x.

    Values are stored as variables, results and constants: a constant's place is known when all are.
    """
    recorder = Recorder(x.size)
    y = f.loops(recorder, [Place(i, recorder) for i in range(x.size)], *(a.tolist() for a in data))
    code, left, right = np.array(recorder.instructions, np.int32).reshape(-1, 3).T.copy()
    first = x.size + code.size  # of the constants
    for operand in (left, right):
        operand[operand < 0] = first - 1 - operand[operand < 0]
    return code.astype(np.int8), left, right, np.array(list(recorder.constants), x.dtype), y.place, x


def too_long(f, x, *data):
    """Recording takes Python a microsecond an operation."""
    k = f.operations(x, *data).total
    return Skip(f"f has {k:.0f} operations, too many to record", "choose smaller sizes") if k > LONGEST else None


def compiled_tape(code, left, right, constants, y, x):
    """Record the instructions of f once, outside of the timing; compiled code evaluates them and runs back."""
    return run(code, left, right, constants, y, x)


@njit
def run(code, left, right, constants, y, x):
    """The gradient at x, (n,): values forwards, adjoints backwards."""
    v = values(code, left, right, constants, x)
    return adjoints(code, left, right, x.size, v, y)[: x.size].copy()


@njit
def function_alone(code, left, right, constants, y, x):
    """f(x) by the same instructions: what the way back is held against."""
    return values(code, left, right, constants, x)[y]


@njit
def values(code, left, right, constants, x):
    """Variables, results and constants, one after another."""
    n, k = x.size, code.size
    v = np.empty(n + k + constants.size, x.dtype)
    v[:n] = x
    v[n + k :] = constants
    for i in range(k):
        a, b, op = v[left[i]], v[right[i]], code[i]
        if op == MUL:
            v[n + i] = a * b
        elif op == ADD:
            v[n + i] = a + b
        elif op == SUB:
            v[n + i] = a - b
        elif op == DIV:
            v[n + i] = a / b
        elif op == EXP:
            v[n + i] = np.exp(a)
        elif op == LOG:
            v[n + i] = np.log(a)
        else:
            v[n + i] = np.tanh(a)
    return v


@njit
def adjoints(code, left, right, n, v, y):
    """The derivative of v[y] by each value; what constants gain nobody asks for, but to leave it out takes longer."""
    adjoint = np.zeros_like(v)
    adjoint[y] = 1
    one = v.dtype.type(1)
    for i in range(code.size - 1, -1, -1):
        a, b, op, value, g = left[i], right[i], code[i], v[n + i], adjoint[n + i]
        if op == MUL:
            adjoint[a] += g * v[b]
            adjoint[b] += g * v[a]
        elif op == ADD:
            adjoint[a] += g
            adjoint[b] += g
        elif op == SUB:
            adjoint[a] += g
            adjoint[b] -= g
        elif op == DIV:
            g = g / v[b]
            adjoint[a] += g
            adjoint[b] -= g * value
        elif op == EXP:
            adjoint[a] += g * value
        elif op == LOG:
            adjoint[a] += g / v[a]
        else:
            adjoint[a] += g * (one - value * value)
    return adjoint
