"""A tape of arrays without Python: a compiled machine that runs the instructions forwards and back.

All its memory is there before it starts, the numbers v and their adjoints.  An instruction finds its operands in the
cache, where those before it have left them, and an adjoint is set back to zero as soon as it was read, so that a run
leaves all of them at zero for the next one.  What has to be kept for the way back is what stands in v anyway.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit
from exp_core.vector import exp, log, tanh
from maths_exp.calculus._autodiff_instructions import ADD, DIV, EXP, LOG, MATMUL, MUL, SUB, SUM, TANH
from maths_exp.calculus._autodiff_machine_back import back, total


def compiled_tensor_tape(instructions, v, adjoint, y, x):
    """Record the arrays' instructions once, outside of the timing: a dozen loops over vectors, no Python between."""
    return forwards_and_back(instructions, v, adjoint, y, x)


@njit
def forwards_and_back(instructions, v, adjoint, y, x):
    """The gradient at x, (n,)."""
    v[: x.size] = x
    forwards(instructions, v)
    adjoint[y] = 1
    back(instructions, v, adjoint)
    gradient = adjoint[: x.size].copy()
    adjoint[: x.size] = 0
    return gradient


@njit
def function_alone(instructions, v, adjoint, y, x):
    """f(x) by the same instructions: what the way back is held against."""
    v[: x.size] = x
    forwards(instructions, v)
    return v[y]


@njit
def forwards(instructions, v):
    """Each result from its operands."""
    for i in range(instructions.shape[0]):
        code, y, left, right, m, k, n, _ = instructions[i]
        if code == MATMUL:
            A, B = v[left : left + m * k].reshape(m, k), v[right : right + k * n].reshape(k, n)
            np.dot(A, B, v[y : y + m * n].reshape(m, n))
        elif code == SUM:
            v[y] = total(v[left : left + k])
        elif code < EXP:
            arithmetic(code, v[y : y + k], v[left : left + k], v[right : right + k])
        elif code <= TANH:
            elementary(code, v[y : y + k], v[left : left + k])
        else:
            spread(v[y : y + m * k * n], v[left : left + k], n)


@njit
def arithmetic(code, y, a, b):
    """y = a o b, number by number."""
    if code == ADD:
        for i in range(y.size):
            y[i] = a[i] + b[i]
    elif code == SUB:
        for i in range(y.size):
            y[i] = a[i] - b[i]
    elif code == MUL:
        for i in range(y.size):
            y[i] = a[i] * b[i]
    elif code == DIV:
        for i in range(y.size):
            y[i] = a[i] / b[i]
    else:
        for i in range(y.size):
            y[i] = -a[i]


@njit
def elementary(code, y, a):
    """y = exp a, log a or tanh a."""
    if code == EXP:
        for i in range(y.size):
            y[i] = exp(a[i])
    elif code == LOG:
        for i in range(y.size):
            y[i] = log(a[i])
    else:
        for i in range(y.size):
            y[i] = tanh(a[i])


@njit
def spread(y, a, n):
    """Each of a n times in a row, and all of it until y is full."""
    for start in range(0, y.size, max(a.size * n, 1)):
        if n == 1:
            fill(y[start : start + a.size], a, 1)
        else:
            for j in range(a.size):
                fill(y[start + j * n : start + (j + 1) * n], a[j : j + 1], 0)


@njit
def fill(y, a, stride):
    """y = a, or its first number again and again if the stride is zero."""
    for i in range(y.size):
        y[i] = a[i * stride]
