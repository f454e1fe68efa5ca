"""A tape of arrays without Python: a compiled machine that runs the instructions forwards and back.

All its memory is there before it starts, the numbers v and their adjoints.  An instruction finds its operands in the
cache, where those before it have left them, and an adjoint is set back to zero as soon as it was read, so that a run
leaves all of them at zero for the next one.  What has to be kept for the way back is what stands in v anyway.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import REORDER, njit
from exp_core.vector import exp, log, tanh
from maths_exp.calculus._autodiff_instructions import ADD, DIV, EXP, LEFT, LOG, MATMUL, MUL, NEG, RIGHT, SUB, SUM, TANH


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


@njit(fastmath=REORDER)
def total(a):
    """The sum of a, in lanes."""
    s = a.dtype.type(0)
    for i in range(a.size):
        s += a[i]
    return s


@njit
def spread(y, a, n):
    """Each of a n times in a row, and all of it until y is full."""
    for start in range(0, y.size, a.size * n):
        if n == 1:
            y[start : start + a.size] = a
        else:
            for j in range(a.size):
                y[start + j * n : start + (j + 1) * n] = a[j]


@njit
def back(instructions, v, adjoint):
    """The adjoint of each result in turn is read, handed on to its operands, and is zero again."""
    for i in range(instructions.shape[0] - 1, -1, -1):
        code, y, left, right, m, k, n, varies = instructions[i]
        by_left, by_right = varies & LEFT, varies & RIGHT
        if code == MATMUL:
            A, B = v[left : left + m * k].reshape(m, k), v[right : right + k * n].reshape(k, n)
            g = adjoint[y : y + m * n]
            G = g.reshape(m, n)
            if by_left:
                gain(adjoint[left : left + m * k], np.dot(G, B.T).reshape(m * k))
            if by_right:
                gain(adjoint[right : right + k * n], np.dot(A.T, G).reshape(k * n))
        elif code == SUM:
            g = adjoint[y : y + 1]
            gain_all(adjoint[left : left + k], adjoint[y])
        elif code < EXP:
            g = adjoint[y : y + k]
            if by_left:
                gain_left(code, adjoint[left : left + k], g, v[right : right + k])
            if by_right:
                gain_right(code, adjoint[right : right + k], g, v[y : y + k], v[left : left + k], v[right : right + k])
        elif code <= TANH:
            g = adjoint[y : y + k]
            gain_inside(code, adjoint[left : left + k], g, v[y : y + k], v[left : left + k])
        else:
            g = adjoint[y : y + m * k * n]
            gain_repeated(adjoint[left : left + k], g, n)
        g[:] = 0


@njit
def gain(adjoint, g):
    """What a sum's operand gains."""
    for i in range(adjoint.size):
        adjoint[i] += g[i]


@njit
def gain_left(code, adjoint, g, b):
    """What the left operand of a + b, a - b, a b, a / b or -a gains."""
    if code == MUL:
        for i in range(adjoint.size):
            adjoint[i] += g[i] * b[i]
    elif code == DIV:
        for i in range(adjoint.size):
            adjoint[i] += g[i] / b[i]
    elif code == NEG:
        for i in range(adjoint.size):
            adjoint[i] -= g[i]
    else:
        gain(adjoint, g)


@njit
def gain_right(code, adjoint, g, y, a, b):
    """What the right operand gains."""
    if code == MUL:
        for i in range(adjoint.size):
            adjoint[i] += g[i] * a[i]
    elif code == DIV:
        for i in range(adjoint.size):
            adjoint[i] -= g[i] / b[i] * y[i]
    elif code == SUB:
        for i in range(adjoint.size):
            adjoint[i] -= g[i]
    else:
        gain(adjoint, g)


@njit
def gain_inside(code, adjoint, g, y, a):
    """What a gains in y = exp a, log a or tanh a."""
    one = a.dtype.type(1)
    if code == EXP:
        for i in range(adjoint.size):
            adjoint[i] += g[i] * y[i]
    elif code == LOG:
        for i in range(adjoint.size):
            adjoint[i] += g[i] / a[i]
    else:
        for i in range(adjoint.size):
            adjoint[i] += g[i] * (one - y[i] * y[i])


@njit
def gain_all(adjoint, g):
    """What each term of a sum gains."""
    for i in range(adjoint.size):
        adjoint[i] += g


@njit
def gain_repeated(adjoint, g, n):
    """What a number gains that was repeated: the sum over the places where it stood."""
    for start in range(0, g.size, adjoint.size * n):
        if n == 1:
            gain(adjoint, g[start : start + adjoint.size])
        else:
            for j in range(adjoint.size):
                adjoint[j] += total(g[start + j * n : start + (j + 1) * n])
