"""AdamW on a part of the weights.

$p \\leftarrow (1 - \\eta\\lambda) p - \\eta\\,\\hat m/(\\sqrt{\\hat v} + \\epsilon)$ with
$\\hat m = m/(1 - \\beta_1^t)$ and $\\hat v = v/(1 - \\beta_2^t)$; with $c = \\sqrt{1 - \\beta_2^t}$ the quotient is
$\\frac c{1 - \\beta_1^t} \\cdot \\frac m{\\sqrt v + \\epsilon c}$: two constants of the update instead of two divisions
a weight.
Source: I. Loshchilov, F. Hutter, Decoupled Weight Decay Regularization, ICLR (2019), algorithm 2, with PyTorch's decay,
which the learning rate multiplies; D. Kingma, J. Ba, Adam, ICLR (2015), end of section 2, for the order of the terms.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from exp_core.compiled import REORDER, njit


class AdamW(NamedTuple):
    """Its constants: decay rates of the two means, what keeps the quotient finite, weight decay, longest gradient."""

    beta1: float = 0.9
    beta2: float = 0.99
    epsilon: float = 1e-8
    decay: float = 0.1
    clip: float = 1.0


@njit
def add(total, x):
    """total += x; both: (n,)."""
    for i in range(total.size):
        total[i] += x[i]


@njit(fastmath=REORDER)
def squared(x):
    """The sum of the squares of x: (n,)."""
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i] * x[i]
    return total


@njit(fastmath=REORDER)
def adamw(p, g, m, v, beta1, beta2, epsilon, shrink, step, scale):
    """One update of p, m and v by the gradient scale g; all: (n,)."""
    b1, b2, scale = p.dtype.type(beta1), p.dtype.type(beta2), p.dtype.type(scale)
    a1, a2 = p.dtype.type(1 - beta1), p.dtype.type(1 - beta2)
    epsilon, shrink, step = p.dtype.type(epsilon), p.dtype.type(shrink), p.dtype.type(step)
    for i in range(p.size):
        g_i = g[i] * scale
        m_i = b1 * m[i] + a1 * g_i
        v_i = b2 * v[i] + a2 * g_i * g_i
        m[i], v[i] = m_i, v_i
        p[i] = shrink * p[i] - step * m_i / (math.sqrt(v_i) + epsilon)
