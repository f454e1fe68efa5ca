"""What makes an answer right, whatever decides between neighbours at the same distance, and what it costs.

A sum of d squared differences has no term to cancel: computed in any order it is within $\\gamma_{d+2}$ of the true
one, relatively (Higham 2002, section 3.1); the two in which a search compares distances, twice that.  Distances far
below the coordinates may be nothing but their rounding: the laws add u of the points' own size, squared.
"""

from __future__ import annotations

import numpy as np

from exp_core import Cost
from exp_core.tensor import gamma, unit_roundoff

BLOCK = 256  # queries at a time


def nearest(X, Q, k):
    """The k least squared distances of each query, by differences in float64: (m, k), ascending."""
    from scipy.spatial.distance import cdist

    X, Q = X.astype(np.float64), Q.astype(np.float64)
    blocks = (cdist(Q[i : i + BLOCK], X, "sqeuclidean") for i in range(0, len(Q), BLOCK))
    return np.concatenate([np.sort(np.partition(D2, k - 1, axis=1)[:, :k], axis=1) for D2 in blocks])


def distances_to(X, Q, indices):
    """Squared distances of each query from the points with these indices: (m, k), in float64."""
    differences = X[indices].astype(np.float64) - Q[:, None, :].astype(np.float64)
    return (differences**2).sum(axis=2)


def permitted(D2, X, Q):
    """What rounding may change of squared distances."""
    size = max(float((A.astype(np.float64) ** 2).sum(axis=1).max()) for A in (X, Q))
    roundings = 2 * (gamma(X.shape[1] + 4, X) + gamma(X.shape[1] + 4, "float64"))
    return roundings * (D2 + unit_roundoff(X) ** 2 * size) + np.finfo(X.dtype).tiny


def distances(result, X, Q, k, truth):
    """The returned squared distances, against those of the returned points, over what rounding permits."""
    indices, D2 = (np.asarray(a) for a in result)
    true = distances_to(X, Q, indices)
    return float((np.abs(D2.astype(np.float64) - true) / permitted(true, X, Q)).max())


def none_nearer(result, X, Q, k, truth):
    """How much farther the j-th neighbour is than the truly j-th, over what rounding permits; a point twice is NaN."""
    indices = np.asarray(result[0])
    ranks = np.sort(indices, axis=1)
    if indices.shape != truth.shape or ranks.min() < 0 or ranks.max() >= len(X) or (np.diff(ranks) == 0).any():
        return float("nan")
    return float(((distances_to(X, Q, indices) - truth) / permitted(truth, X, Q)).max())


def expanded(X, Q, k):
    """The bound where $|x|^2 - 2 x \\cdot q + |q|^2$ decides: its terms' rounding, over what differences permit.

    The terms add up to at most $(|x| + |q|)^2$; each meets at most d + 3 roundings, and two values are compared.
    """
    X_, Q_ = X.astype(np.float64), Q.astype(np.float64)
    size = (np.sqrt((X_**2).sum(axis=1).max()) + np.sqrt((Q_**2).sum(axis=1).max())) ** 2
    return 1 + 2 * gamma(X.shape[1] + 3, X) * size / float(permitted(nearest(X, Q, k), X, Q).min())


def cost(flops, memory):
    """flops(n, m, d, k); every point and query read once, the answer written once; memory(n, m, d, k) numbers."""

    def of(X, Q, k):
        (n, d), m = X.shape, len(Q)
        moved = X.nbytes + Q.nbytes + m * k * (8 + X.itemsize)
        return Cost(flops=flops(n, m, d, k), bytes=moved, memory=memory(n, m, d, k) * 8)

    return of


def tree_flops(n, m, d, k):
    """No fewer: a split at each level, the way down to one leaf, and the distances of its points."""
    levels = max(np.log2(n), 1)
    return n * levels + m * (levels * 3 * d + 3 * d * k)


DIFFERENCES = cost(lambda n, m, d, k: 3 * d * n * m, lambda n, m, d, k: 10 * (n * d + m * d + n + m * k))
ARRAYS = cost(lambda n, m, d, k: 3 * d * n * m, lambda n, m, d, k: 2 * n * (d + 2))
PRODUCT = cost(lambda n, m, d, k: (2 * d + 1) * n * m, lambda n, m, d, k: 3 * n * (min(m, BLOCK) + d))
TREE = cost(tree_flops, lambda n, m, d, k: 4 * n * d + 3 * n)
