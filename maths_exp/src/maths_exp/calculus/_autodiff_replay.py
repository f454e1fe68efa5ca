"""A tape without Python: f is recorded once as a list of instructions, and compiled code runs it at any x.

The recorder holds no numbers, only what is done with which.  The forward run evaluates the instructions and stores
their partial derivatives; the run back has no decisions left: two multiplications and additions an instruction.

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
    """Values and partial derivatives forwards, adjoints backwards."""
    n, k = x.size, code.size
    v = np.empty(n + k + constants.size, x.dtype)
    v[:n] = x
    v[n + k :] = constants
    by_left, by_right = np.empty(k, x.dtype), np.empty(k, x.dtype)
    one, zero = x.dtype.type(1), x.dtype.type(0)
    for i in range(k):
        a, b, op = v[left[i]], v[right[i]], code[i]
        if op == MUL:
            value, p, q = a * b, b, a
        elif op == ADD:
            value, p, q = a + b, one, one
        elif op == SUB:
            value, p, q = a - b, one, -one
        elif op == DIV:
            p = one / b
            value = a / b
            q = -value * p
        elif op == EXP:
            value = np.exp(a)
            p, q = value, zero
        elif op == LOG:
            value, p, q = np.log(a), one / a, zero
        else:
            value = np.tanh(a)
            p, q = one - value * value, zero
        v[n + i], by_left[i], by_right[i] = value, p, q
    adjoint = np.zeros_like(v)
    adjoint[y] = 1
    for i in range(k - 1, -1, -1):
        g = adjoint[n + i]
        adjoint[left[i]] += g * by_left[i]
        adjoint[right[i]] += g * by_right[i]
    return adjoint[:n].copy()
