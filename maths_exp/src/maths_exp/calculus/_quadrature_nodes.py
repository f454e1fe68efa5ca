"""Where to look at a function, and how much each look counts: nodes and weights on [-1, 1], computed.

Sources: P. Davis, P. Rabinowitz, Methods of Numerical Integration, 2nd ed. (1984), section 2.7;
A. S. Kronrod, Nodes and Weights of Quadrature Formulas (1965); H. Takahasi, M. Mori, Double exponential formulas for
numerical integration, Publications of RIMS 9 (1974), 721-741.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.polynomial import legendre


@functools.cache
def gauss(n):
    """Nodes and weights of Gauss's rule, exact for degree 2n - 1: the zeros of $P_n$, by Newton's method.

    $w_i = 2 / ((1 - x_i^2) P_n'(x_i)^2)$; Tricomi's approximation of the zeros is the start.
    """
    i = np.arange(1, n + 1)
    x = -(1 - (1 - 1 / n) / (8 * n * n)) * np.cos(np.pi * (4 * i - 1) / (4 * n + 2))
    for _ in range(5):
        p, before = x, np.ones(n)
        for k in range(1, n):  # (k + 1) P_{k+1} = (2k + 1) x P_k - k P_{k-1}
            p, before = ((2 * k + 1) * x * p - k * before) / (k + 1), p
        slope = n * (before - x * p) / (1 - x * x)
        x = x - p / slope
    return x, 2 / ((1 - x * x) * slope**2)


@functools.cache
def kronrod(n):
    """Gauss's n nodes and n + 1 between them: x, weights of all, and Gauss's weights (0 at the new nodes).

    The new ones are the zeros of Stieltjes's polynomial $E = P_{n+1} + \\sum c_j P_j$, which is all that makes the rule
    exact for degree 3n + 1: $\\int P_n E P_k = 0$ for k = 0 ... n.  As $\\int P_n P_j P_k = 0$ for j < n - k, the k-th
    condition gives $c_{n-k}$ from those before it.
    """
    y, w = gauss(2 * n + 2)  # exact for these integrals, of degree 3n + 1 at the most
    P = legendre.legvander(y, n + 1)
    products = (P * (w * P[:, n])[:, None]).T @ P  # [k, j]
    c = np.zeros(n + 2)
    c[n + 1] = 1
    for k in range(n + 1):
        c[n - k] = -products[k, n - k + 1 :] @ c[n - k + 1 :] / products[k, n - k]
    new = legendre.legroots(c).real  # they are all real; NumPy from 2.5 on does not look
    new -= legendre.legval(new, c) / legendre.legval(new, legendre.legder(c))
    x = np.sort(np.concatenate([gauss(n)[0], new]))
    x = (x - x[::-1]) / 2  # the rule is symmetric, exactly
    moments = np.zeros(2 * n + 1)
    moments[0] = 2
    weights = np.linalg.solve(legendre.legvander(x, 2 * n).T, moments)
    of_gauss = np.zeros(2 * n + 1)
    of_gauss[1::2] = gauss(n)[1]
    return x, (weights + weights[::-1]) / 2, of_gauss


LONGEST, FINEST = 6.1, 10  # at t = 6.1 a node is 1e-304 from its end; the steps in t are 1/2 ... 2^-FINEST


@functools.cache
def double_exponential():
    """Nodes of the substitution $x = 1 / (1 + e^{-\\pi \\sinh t})$ on (0, 1): (d, w) for each halving of the step in t.

    d: distances from the nearer end, w: dx / dt there; both for t > 0 alone, and for the t that the step adds.
    """
    levels = []
    for level in range(FINEST):
        h = 0.5 ** (level + 1)
        t = np.arange(h, LONGEST, 2 * h if level else h)
        d = 1 / (1 + np.exp(np.pi * np.sinh(t)))
        levels.append((d, np.pi * np.cosh(t) * d * (1 - d)))
    return levels
