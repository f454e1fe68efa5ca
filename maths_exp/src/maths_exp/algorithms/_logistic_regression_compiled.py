"""Newton's method and L-BFGS, compiled: little else than passes over the data.

J. Nocedal, S. J. Wright, Numerical Optimization, 2nd ed. (2006), chapters 3 and 7.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit
from maths_exp.algorithms._logistic_regression_sums import PARTS, sums

LIMIT = 1000  # passes
PAIRS = 10  # steps that L-BFGS remembers
ENOUGH = 1e-4  # of the decrease that the slope promises (Nocedal and Wright, section 3.1)


@njit
def accepted(f, before, slope):
    """Armijo's condition, but for what rounding may hide: a loss is a sum of numbers of one sign, good to some u f."""
    return f <= before + ENOUGH * slope + 8 * np.finfo(np.float64).eps * before


@njit
def solve(H, b):
    """$H^{-1} b$ by Cholesky; of H the lower half, which is overwritten."""
    d, x = b.size, b.copy()
    for j in range(d):
        for k in range(j):
            for i in range(j, d):
                H[i, j] -= H[i, k] * H[j, k]
        H[j:, j] /= np.sqrt(H[j, j])
    for j in range(d):
        x[j] = (x[j] - (H[j, :j] * x[:j]).sum()) / H[j, j]
    for j in range(d - 1, -1, -1):
        x[j] = (x[j] - (H[j + 1 :, j] * x[j + 1 :]).sum()) / H[j, j]
    return x


@njit
def newton_threads(XT, y, lam, tolerance):
    """Newton with margins, loss, gradient and Hessian of a block while it is in cache, on all cores."""
    d = XT.shape[0]
    loss, g, H = np.zeros(PARTS), np.zeros((PARTS, d)), np.zeros((PARTS, d, d))
    w = np.zeros(d)
    f, passes = sums(XT, y, w, lam, loss, g, H), 1
    while np.sqrt((g[0] * g[0]).sum()) > tolerance and passes < LIMIT:
        p = -solve(H[0], g[0])
        before, start, slope, step = f, w, (g[0] * p).sum(), 1.0
        w = start + p
        f, passes = sums(XT, y, w, lam, loss, g, H), passes + 1
        while not accepted(f, before, step * slope) and passes < LIMIT:
            step /= 2
            w = start + step * p
            f, passes = sums(XT, y, w, lam, loss, g, H), passes + 1
    return w, passes


@njit
def two_loops(g, S, Y, rho, pairs):
    """$-Hg$ where H approximates the inverse Hessian by the last pairs of steps (Nocedal and Wright, algorithm 7.4)."""
    p, alpha = -g, np.zeros(PAIRS)
    newest, oldest = pairs - 1, max(pairs - PAIRS, 0)
    for k in range(newest, oldest - 1, -1):
        i = k % PAIRS
        alpha[i] = rho[i] * (S[i] * p).sum()
        p -= alpha[i] * Y[i]
    if pairs:
        i = newest % PAIRS
        p /= rho[i] * (Y[i] * Y[i]).sum()  # the scale of the last step
    for k in range(oldest, newest + 1):
        i = k % PAIRS
        p += (alpha[i] - rho[i] * (Y[i] * p).sum()) * S[i]
    return p


@njit
def lbfgs_threads(XT, y, lam, tolerance):
    """L-BFGS with one pass for loss and gradient, on all cores: no Hessian, but what the last ten steps have taught."""
    d = XT.shape[0]
    loss, g, H = np.zeros(PARTS), np.zeros((PARTS, d)), np.zeros((PARTS, 0, 0))
    S, Y, rho, pairs = np.zeros((PAIRS, d)), np.zeros((PAIRS, d)), np.zeros(PAIRS), 0
    w = np.zeros(d)
    f, passes = sums(XT, y, w, lam, loss, g, H), 1
    step = 1 / max(1.0, np.sqrt((g[0] * g[0]).sum()))
    while np.sqrt((g[0] * g[0]).sum()) > tolerance and passes < LIMIT:
        p, old = two_loops(g[0], S, Y, rho, pairs), g[0].copy()
        before, start, slope = f, w, (old * p).sum()
        w = start + step * p
        f, passes = sums(XT, y, w, lam, loss, g, H), passes + 1
        while not accepted(f, before, step * slope) and passes < LIMIT:
            step /= 2
            w = start + step * p
            f, passes = sums(XT, y, w, lam, loss, g, H), passes + 1
        i, step = pairs % PAIRS, 1.0
        S[i], Y[i] = w - start, g[0] - old
        rho[i] = 1 / (S[i] * Y[i]).sum()  # positive: the function is strongly convex
        pairs += 1
    return w, passes
