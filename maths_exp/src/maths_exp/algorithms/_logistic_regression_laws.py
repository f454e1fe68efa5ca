"""How far from the minimum a result may be, derived, and what each way of finding it costs.

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

import functools
import math
from dataclasses import dataclass, field

import numpy as np

from exp_core import Cost
from exp_core.tensor import gamma, unit_roundoff


def gradient(X, y, lam, w):
    """$\\nabla f(w)$."""
    t = y * (X @ w)
    e = np.exp(-np.abs(t))
    return X.T @ (-y * np.where(t > 0, e, 1) / (1 + e)) / len(y) + lam * w


def gradient_norm(result, X, y, lam, tolerance):
    """$\\|\\nabla f(w)\\|$: divided by lambda, how far the minimum can be."""
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


@dataclass(frozen=True)
class Asked:
    """A method and a problem, compared by a digest: the same question has its passes counted once."""

    digest: str
    function: object
    arguments: tuple = field(compare=False)


@functools.lru_cache(maxsize=64)
def counted_passes(asked):
    """How many passes over the data it takes: nobody can say beforehand, so it is tried."""
    return asked.function(*asked.arguments)[1]


def passes(function, prepare, inputs):
    """The number of passes of a method on these inputs."""
    import hashlib

    digest = hashlib.blake2b(repr(inputs[2:]).encode())
    for array in inputs[:2]:
        digest.update(np.ascontiguousarray(array))
    return counted_passes(Asked(digest.hexdigest(), function, prepare(*inputs) if prepare else inputs))


CACHE = 64 * 2**20  # bytes that a cache may keep from one pass to the next: only what is beyond must move again


def cost(function, prepare=None, flops=lambda n, d: 4 * n * d + 6 * n + 6 * d, reads=1, memory=lambda n, d: 8 * n + d):
    """Passes, each of so many operations and reads of X; `memory` in numbers.

    Operations: 2 n d for the margins, as many for the gradient; a Hessian's lower half has n d (d + 1) and n d more.
    """

    def at(X, y, lam, tolerance):
        n, d = X.shape
        k = passes(function, prepare, (X, y, lam, tolerance))
        moved = X.nbytes * (1 if X.nbytes <= CACHE else k * reads)
        return Cost(flops=float(k * flops(n, d)), bytes=float(moved + y.nbytes), memory=8.0 * memory(n, d))

    return at


def with_hessian(n, d):
    """Operations of a pass that makes a Hessian, and of its factorisation."""
    return 4 * n * d + n * d * (d + 2) + 6 * n + d**3 / 3
