"""Steps after single rows: stochastic gradients, and SAGA, which remembers them and needs no shrinking steps.

A. Defazio, F. Bach, S. Lacoste-Julien, SAGA: a fast incremental gradient method with support for non-strongly convex
composite objectives, NIPS (2014).
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import REORDER, njit
from exp_core.vector import sigmoid

LIMIT = 20_000  # passes
CHECK = 4  # passes of the method to one of the test whether it is done, which looks at all rows


@njit
def below(state, n):
    """The next state of a linear congruential generator, and a number from 0 to n - 1 of its high bits.

    Source: D. E. Knuth, The Art of Computer Programming, volume 2, section 3.3.4, the MMIX generator.
    """
    state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
    return state, np.int64(((state >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@njit(fastmath=REORDER)
def dot(a, b):
    total = 0.0
    for j in range(a.size):
        total += a[j] * b[j]
    return total


@njit
def slope(y, m):
    """The derivative of $\\log(1 + e^{-ym})$ by m."""
    return -y * sigmoid(-y * m)


@njit
def norm_of_gradient(X, y, lam, w):
    """$\\|\\nabla f(w)\\|$, from all rows."""
    g = np.zeros_like(w)
    for i in range(y.size):
        r = slope(y[i], dot(X[i], w))
        for j in range(w.size):
            g[j] += r * X[i, j]
    g = g / y.size + lam * w
    return np.sqrt(dot(g, g))


@njit
def saga(X, y, lam, tolerance):
    """One row at random a step: its new gradient in place of its old one in the mean, with a step that stays as long.

    Of a row's gradient only a number is kept: the derivative by its margin.  The step is $1/(3L)$ with L that of the
    worst row.
    """
    n, d = X.shape
    w, mean, old = np.zeros(d), np.zeros(d), np.zeros(n)
    worst = 0.0
    for i in range(n):
        worst = max(worst, dot(X[i], X[i]))
        old[i] = -y[i] / 2
        for j in range(d):
            mean[j] += old[i] * X[i, j] / n
    step = 1 / (3 * (worst / 4 + lam))
    state, passes = np.uint64(1), 1
    while passes < LIMIT:
        for _ in range(CHECK * n):
            state, i = below(state, n)
            new = slope(y[i], dot(X[i], w))
            change, old[i] = new - old[i], new
            for j in range(d):
                w[j] -= step * (change * X[i, j] + mean[j] + lam * w[j])
                mean[j] += change / n * X[i, j]
        passes += CHECK + 1
        if norm_of_gradient(X, y, lam, w) <= tolerance:
            break
    return w, passes
