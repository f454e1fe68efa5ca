"""The way back of the machine for tapes of arrays: each adjoint is read, handed on and set to zero.

The places of an adjoint are those of its value, so that whoever reads a part of an array hands its gain to that part.
All is added in place; nothing is made anew but the matrices that a product's operands gain.

Source: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. (2008), table 3.4, the incremental adjoint recursion.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import REORDER, njit
from maths_exp.calculus._autodiff_instructions import DIV, EXP, LEFT, LOG, MATMUL, MUL, NEG, RIGHT, SUB, SUM, TANH


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
        for j in range(g.size):
            g[j] = 0


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
    for start in range(0, g.size, max(adjoint.size * n, 1)):
        if n == 1:
            gain(adjoint, g[start : start + adjoint.size])
        else:
            for j in range(adjoint.size):
                adjoint[j] += total(g[start + j * n : start + (j + 1) * n])


@njit(fastmath=REORDER)
def total(a):
    """The sum of a, in lanes."""
    s = a.dtype.type(0)
    for i in range(a.size):
        s += a[i]
    return s
