"""What each way to the minimum costs: passes over the rows, which nobody can count beforehand, and what one takes.

The passes are counted by running the method, or a quicker one that takes as many.  Gradient descent may need a hundred
thousand; of it only the first passes are made.  The others are those of a quadratic: near the minimum $w^*$, with
$H = \\nabla^2 f(w^*)$, the gradient shrinks as $g_{k+j} \\approx (I - H/L)^j g_k$, and in the basis of H's eigenvectors
that is a sum of powers.
"""

from __future__ import annotations

import numpy as np

from exp_core import Cost
from exp_core.remembered import remembered
from maths_exp.algorithms._logistic_regression_laws import gradient, steepest

SEEN = 100  # passes of gradient descent that are made
LIMIT = 100_000  # passes that it may take


def descent_foretold(X, y, lam, tolerance):
    """A w on the way, and the passes that gradient descent takes to the end."""
    from maths_exp.algorithms.logistic_regression import loss_gradient_weights, newton

    w, step = np.zeros(X.shape[1]), 1 / steepest(X, lam)
    for passes in range(1, SEEN + 1):
        g = gradient(X, y, lam, w)
        if g @ g <= tolerance * tolerance:
            return w, passes
        w = w - step * g
    best = newton(X, y, lam, tolerance)[0]
    s = loss_gradient_weights(X, y, lam, best)[2]
    curvatures, Q = np.linalg.eigh((X.T * s) @ X / len(y) + lam * np.eye(len(w)))
    g, shrinks = curvatures * (Q.T @ (w - best)), 1 - step * curvatures
    enough, short = LIMIT - SEEN, -1  # further steps: the fewest that are enough lie between
    while enough - short > 1:
        middle = (enough + short) // 2
        if np.linalg.norm(g * shrinks**middle) <= tolerance:
            enough = middle
        else:
            short = middle
    return w, SEEN + 1 + enough


@remembered(64)
def passes(function, prepare, inputs):
    """How many passes over the data a method takes on these inputs; prepare as for an implementation."""
    return function(*prepare(*inputs) if prepare else inputs)[1]


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
