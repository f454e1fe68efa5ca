"""Nearest neighbours: who is closest, among many points, without measuring every distance twice - or at all.

Problem   X: (n, d) points, Q: (m, d) queries.  For each query find the k nearest points: their indices (m, k), nearest
          first, and their squared distances (m, k).
Idea      Brute force measures n m distances; $|x - q|^2 = |x|^2 - 2 x \\cdot q + |q|^2$ makes them a product of
          matrices, and only k of n are kept.  A tree over the points leaves out whole regions that are farther than
          the k-th neighbour so far: log n distances instead of n, if there are few dimensions.
Look for  All rows build what they need in the time that is measured, trees too.  On surface trees leave out nearly all
          distances; on cloud (--d 32) all distances are alike, so that trees open most nodes.  far-off shows what the
          product of matrices costs in digits, unless the origin is moved and the last distances are measured again.
          On surface both our trees are ahead of SciPy's; balls overlap more than boxes, and come second.
          brute_compiled keeps more than k, measures their distances again and certifies each list; scikit_brute does
          none of that, and its distances are as exact as rounded products.  What makes ours faster all the same: its
          products never leave the cache, and hardly one in a hundred is looked at.  On ties (--d 9) it cannot certify
          its lists, and makes its products a second time; with few coordinates all of the k are at distance 0, and
          nobody is nearer than that.
Source    J. H. Friedman, J. L. Bentley, R. A. Finkel, ACM Trans. Math. Software 3 (1977), 209-226,
          doi:10.1145/355744.355745.
          K. Beyer, J. Goldstein, R. Ramakrishnan, U. Shaft, When is "nearest neighbor" meaningful?, ICDT (1999),
          doi:10.1007/3-540-49257-7_15.
"""

from __future__ import annotations

import numpy as np

from exp_core import Experiment, Implementation, Problem
from maths_exp.algorithms._nearest_neighbours_compiled import brute_compiled
from maths_exp.algorithms._nearest_neighbours_laws import (
    ARRAYS,
    BLOCK,
    DIFFERENCES,
    PRODUCT,
    TREE,
    distances,
    distances_to,
    expanded,
    nearest,
    none_nearer,
)
from maths_exp.algorithms._nearest_neighbours_picture import picture
from maths_exp.algorithms._nearest_neighbours_problems import cloud, digits, far_off, surface, ties
from maths_exp.algorithms._nearest_neighbours_trees import ball_tree_compiled, kd_tree_compiled


def loops(X, Q, k):
    """Measure every distance, sort, keep the first k."""
    points = X.tolist()
    indices, D2 = [], []
    for q in Q.tolist():
        measured = [squared_distance(x, q) for x in points]
        first = sorted(range(len(points)), key=measured.__getitem__)[:k]
        indices.append(first)
        D2.append([measured[i] for i in first])
    return np.array(indices), np.array(D2, X.dtype)


def squared_distance(x, q):
    """The sum of (x - q)^2 over the coordinates."""
    total = 0
    for a, b in zip(x, q, strict=True):
        difference = a - b
        total = total + difference * difference
    return total


def differences(X, Q, k):
    """All distances of a query at once; a partial sort puts the k least first, and only they are sorted."""
    indices, D2 = np.empty((len(Q), k), np.int64), np.empty((len(Q), k), X.dtype)
    for j, q in enumerate(Q):
        measured = ((X - q) ** 2).sum(axis=1)
        first = np.argpartition(measured, k - 1)[:k]
        indices[j] = first[np.argsort(measured[first])]
        D2[j] = measured[indices[j]]
    return indices, D2


def product(X, Q, k):
    """Distances by a product of matrices, blocks of queries at a time; the k that are left are measured again."""
    origin = X.mean(axis=0)  # moved here, little cancels
    X_, Q_ = X - origin, Q - origin
    half = (X_ * X_).sum(axis=1) / 2
    blocks = []
    for i in range(0, len(Q), BLOCK):
        values = half - Q_[i : i + BLOCK] @ X_.T
        blocks.append(np.argpartition(values, k - 1, axis=1)[:, :k])
    return measured_again(X, Q, np.concatenate(blocks))


def measured_again(X, Q, indices):
    """The squared distances of these points by differences, and both in order."""
    D2 = distances_to(X, Q, indices)
    order = np.argsort(D2, axis=1)
    return np.take_along_axis(indices, order, 1), np.take_along_axis(D2, order, 1).astype(X.dtype)


def scikit_brute(X, Q, k):
    """scikit-learn: products in blocks and a heap a query, in threads."""
    return scikit(X, Q, k, "brute")


def scikit_kd_tree(X, Q, k):
    """scikit-learn's k-d tree, in float64 and on one thread."""
    return scikit(X, Q, k, "kd_tree")


def scikit_ball_tree(X, Q, k):
    """scikit-learn's ball tree, likewise."""
    return scikit(X, Q, k, "ball_tree")


def scikit(X, Q, k, algorithm):
    from sklearn.neighbors import NearestNeighbors

    D, indices = NearestNeighbors(n_neighbors=k, algorithm=algorithm).fit(X).kneighbors(Q)
    return indices, (D * D).astype(X.dtype)


def scipy_kd_tree(X, Q, k, threads):
    """SciPy's k-d tree in C++, with as many threads as everybody; balanced, as ours."""
    from scipy.spatial import cKDTree

    D, indices = cKDTree(X).query(Q, k=[*range(1, k + 1)], workers=threads)
    return indices, (D * D).astype(X.dtype)


def with_threads(X, Q, k):
    """The number of threads that the ladder allows, for a library that wants it as an argument."""
    from threadpoolctl import threadpool_info

    return X, Q, k, max((pool["num_threads"] for pool in threadpool_info()), default=1)


LAWS = {"distances": distances, "none nearer": none_nearer}
# Both laws measure in units of what rounding permits.
EXACT = dict.fromkeys(LAWS, lambda X, Q, k: 1.0)
CHOSEN = EXACT | {"none nearer": expanded}  # by rounded products; the distances are measured again
EXPANDED = dict.fromkeys(LAWS, expanded)
FAR = {"far-off": "|x|^2 - 2 x.q + |q|^2 cancels far from the origin"}
SCIKIT = {"requires": ("sklearn",)}
AWKWARD = ({"n": 1, "m": 1, "d": 1, "k": 1}, {"n": 67, "m": 5, "d": 1, "k": 67}, {"n": 1031, "m": 37, "d": 7, "k": 3})

EXPERIMENT = Experiment(
    problems=(
        Problem(cloud, small={"n": 300, "m": 20, "d": 5, "k": 4}, awkward=AWKWARD),
        Problem(surface, small={"n": 300, "m": 20, "k": 4}, awkward=({"n": 1, "m": 1, "k": 1},)),
        Problem(ties, kind="hard", small={"n": 300, "m": 20, "k": 7}, awkward=({"n": 300, "m": 7, "d": 1, "k": 9},)),
        Problem(far_off, kind="hard", small={"n": 300, "m": 20, "d": 3, "k": 4}, awkward=(AWKWARD[2],)),
        Problem(digits, kind="real", small={"every": 10}, thins=("every",), requires=("sklearn",)),
    ),
    oracle=nearest,
    laws=LAWS,
    implementations=(
        Implementation(loops, "textbook", cost=DIFFERENCES, bound=EXACT),
        Implementation(differences, "vectorised", cost=ARRAYS, bound=EXACT),
        Implementation(product, "vectorised", cost=PRODUCT, bound=CHOSEN),
        Implementation(brute_compiled, "compiled", cost=PRODUCT, bound=EXACT),
        Implementation(kd_tree_compiled, "compiled", cost=TREE, bound=EXACT),
        Implementation(ball_tree_compiled, "compiled", cost=TREE, bound=EXACT),
        Implementation(scikit_brute, "library", cost=PRODUCT, bound=EXPANDED, unstable=FAR, **SCIKIT),
        Implementation(scikit_kd_tree, "library", cost=TREE, bound=EXACT, **SCIKIT),
        Implementation(scikit_ball_tree, "library", cost=TREE, bound=EXACT, **SCIKIT),
        Implementation(scipy_kd_tree, "library", cost=TREE, bound=EXACT, prepare=with_threads),
    ),
    picture=picture,
)
