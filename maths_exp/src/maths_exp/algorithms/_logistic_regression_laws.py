"""How far from the minimum a result may be, derived.

f is strongly convex: its Hessian is at least $\\lambda$ in every direction.  So the gradient, which anybody can work
out, says how far away the minimum is: $\\|w - w^*\\| \\le \\|\\nabla f(w)\\|/\\lambda$ and
$f(w) - f(w^*) \\le \\|\\nabla f(w)\\|^2/(2\\lambda)$: Boyd and Vandenberghe, Convex Optimization (2004), section 9.1.2.

An implementation stops when the gradient that it has computed is within the tolerance.  What rounding adds, R the
longest row and W the longest w of those with $f(w) \\le f(0) = \\ln 2$, $W = \\sqrt{2 \\ln 2 / \\lambda}$:

    a margin                       off by $\\gamma_d R W$; its derivative by a quarter of that, and 8 u of its own
    the mean over rows             of vectors of length at most R: $\\gamma_{n+2} R$ more
    $\\lambda w$, and the sum          $3 u \\lambda W$

The law evaluates the gradient once more, with the same error.
"""

from __future__ import annotations

import math

import numpy as np

from exp_core.tensor import gamma, unit_roundoff


def gradient(X, y, lam, w):
    """$\\nabla f(w)$."""
    t = y * (X @ w)
    e = np.exp(-np.abs(t))
    return X.T @ (-y * np.where(t > 0, e, 1) / (1 + e)) / len(y) + lam * w


def steepest(X, lam):
    """L: no curvature of f is more.  A quarter of that of least squares, and lambda."""
    return np.linalg.norm(X, 2) ** 2 / (4 * len(X)) + lam


def gradient_norm(result, X, y, lam, tolerance):
    r"""$\|\nabla f(w)\|$: divided by $\lambda$, how far the minimum can be."""
    return float(np.linalg.norm(gradient(X, y, lam, np.asarray(result[0]))))


def accuracy(result, X, y, lam, tolerance):
    """The part of the rows that are on their right side."""
    return float(np.mean(y * (X @ result[0]) > 0))


def within_tolerance(X, y, lam, tolerance):
    """The tolerance, and what rounding may add to a gradient, once there and once here."""
    n, d = X.shape
    u = unit_roundoff(X)
    R, W = np.linalg.norm(X, axis=1).max(), math.sqrt(2 * math.log(2) / lam)
    rounding = R * (gamma(d, X) * R * W / 4 + 8 * u + gamma(n + 2, X)) + 3 * u * lam * W
    return tolerance + 2 * rounding
