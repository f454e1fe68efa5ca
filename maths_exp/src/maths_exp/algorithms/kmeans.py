"""k-means: Lloyd's iteration, and how to look at fewer distances, or at the same ones faster.

Problem   Find centres $c_1, \\dots, c_k$ that make $\\sum_i \\min_j \\|x_i - c_j\\|^2$ small; X: (n, d) points.
          All start from the same centres C0, shape (k, d), and iterate as often; a cluster without points keeps its
          centre. Wanted: the final centres (k, d), and the label (n,) of the one nearest to each point.
Idea      Give each point to its nearest centre, move each centre to the mean of its points, repeat: neither step
          increases the sum. $\\|x - c\\|^2 = \\|x\\|^2 - 2 x \\cdot c + \\|c\\|^2$ makes a matrix product of all the
          distances, and the triangle inequality proves most of them needless.
Look for  The loops spend their time on Python, NumPy on memory, the fused form on multiplications alone. Hamerly's
          bounds save most distances where clusters lie apart, few where a point is nearly as far from many centres.
          On the far-off problem in float32 the matrix product cancels: shift the origin first.
Source    S. Lloyd, Least squares quantization in PCM, IEEE Trans. Information Theory 28 (1982), 129-137,
          doi:10.1109/TIT.1982.1056489.
          D. Arthur, S. Vassilvitskii, k-means++: The advantages of careful seeding, SODA (2007), 1027-1035.
"""

from __future__ import annotations

import warnings

import numpy as np

from exp_core import Cost, Experiment, Implementation, Problem, Skip
from maths_exp.algorithms._kmeans_compiled import lloyd_compiled
from maths_exp.algorithms._kmeans_dask import into_blocks, lloyd_dask
from maths_exp.algorithms._kmeans_hamerly import hamerly_compiled
from maths_exp.algorithms._kmeans_laws import assignment, centres, enclosure, inertia
from maths_exp.algorithms._kmeans_picture import picture
from maths_exp.algorithms._kmeans_problems import clouds, far_off, photograph, ties, unequal

BLOCK = 1024  # points whose distances are computed at a time


def lloyd_loops(X, C0, iterations):
    """For every point look for the nearest centre, then move every centre to the mean of its points."""
    points, C = X.tolist(), C0.tolist()
    for _ in range(iterations):
        S, N = [[0] * len(c) for c in C], [0] * len(C)
        for x in points:
            j = nearest(x, C)
            S[j] = [s + coordinate for s, coordinate in zip(S[j], x, strict=True)]
            N[j] += 1
        C = [[s / N[j] for s in S[j]] if N[j] else C[j] for j in range(len(C))]
    C = np.array(C, X.dtype)
    return C, np.array([nearest(x, C.tolist()) for x in points])


def nearest(x, C):
    """The number of the centre nearest to the point x; of two at the same distance the first."""
    return min(range(len(C)), key=lambda j: squared_distance(x, C[j]))


def squared_distance(x, c):
    """The sum of (x - c)^2 over the coordinates."""
    total = 0
    for a, b in zip(x, c, strict=True):
        difference = a - b
        total = total + difference * difference
    return total


def lloyd_vectorised(X, C0, iterations):
    """All differences at once, as an array (n, k, d): few calls, much memory."""

    def labels_of(C):
        return ((X[:, None, :] - C) ** 2).sum(axis=2).argmin(axis=1)

    C = C0
    for _ in range(iterations):
        C = means(X, labels_of(C), C)
    return C, labels_of(C)


def means(X, labels, C):
    """The mean of each cluster, summed in float64; an empty one's centre stays."""
    N = np.bincount(labels, minlength=len(C))
    S = np.stack([np.bincount(labels, weights=column, minlength=len(C)) for column in X.T], axis=1)
    return np.where(N[:, None] > 0, S / np.maximum(N, 1)[:, None], C).astype(C.dtype)


def lloyd_blas(X, C0, iterations):
    """The product of matrices instead of differences, in blocks that fit the cache; it cancels far from the origin."""

    def labels_of(C):
        half = (C * C).sum(axis=1) / 2  # |x|^2 is the same for all centres: left out
        blocks = (X[i : i + BLOCK] for i in range(0, len(X), BLOCK))
        return np.concatenate([(half - x @ C.T).argmin(axis=1) for x in blocks])

    C = C0
    for _ in range(iterations):
        C = means(X, labels_of(C), C)
    return C, labels_of(C)


def scikit_lloyd(X, C0, iterations):
    """scikit-learn's KMeans: matrix products in blocks; it copies and shifts X, and stops when no label changes."""
    return scikit(X, C0, iterations, "lloyd")


def scikit_elkan(X, C0, iterations):
    """scikit-learn with Elkan's bounds: one for each pair of a point and a centre, where Hamerly keeps two a point."""
    return scikit(X, C0, iterations, "elkan")


def scikit(X, C0, iterations, algorithm):
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    model = KMeans(len(C0), init=C0, n_init=1, max_iter=iterations, tol=0, algorithm=algorithm)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # equal points: fewer clusters than centres
        warnings.filterwarnings("ignore", message="algorithm='elkan' doesn't make sense for a single cluster")
        model.fit(X)
    return model.cluster_centers_, model.labels_


def where_scikit_differs(X, C0, iterations):
    """scikit-learn moves an empty cluster's centre elsewhere, and wants as many points as centres: another method."""
    if len(X) < len(C0):
        return Skip("scikit-learn wants at least as many points as clusters", "ask for fewer clusters")
    labels = lloyd_blas(X - X.mean(axis=0), C0 - X.mean(axis=0), iterations)[1]
    if np.bincount(labels, minlength=len(C0)).min() == 0:
        return Skip("a cluster is empty, and scikit-learn moves its centre elsewhere", "take another --seed")
    return None


def lloyd_cost(per_pair, memory):
    """All distances of all iterations and of the last labelling, so many flops each; a sum and a mean an iteration."""

    def cost(X, C0, iterations):
        (n, d), k = X.shape, len(C0)
        flops = (iterations + 1) * n * k * per_pair(d) + iterations * (n * d + k * d)
        return Cost(flops=flops, bytes=X.nbytes + 2 * C0.nbytes + 8 * n, memory=memory(X, C0))

    return cost


def bounds_cost(per_bound, memory):
    """No fewer: every distance once, then some operations on bounds a point an iteration; the data decide the rest."""

    def cost(X, C0, iterations):
        (n, d), k = X.shape, len(C0)
        flops = n * (k * (2 * d + 1) + d) + iterations * n * per_bound(k)
        return Cost(flops=flops, bytes=X.nbytes + 2 * C0.nbytes + 8 * n, memory=memory(X, C0))

    return cost


# Flops for the distance of a point and a centre, and the comparison with the nearest one before.
differences = lloyd_cost(lambda d: 3 * d + 1, lambda X, C0: 2 * X.nbytes * len(C0) + 24 * len(X))
lists = lloyd_cost(lambda d: 3 * d + 1, lambda X, C0: 40 * X.size)  # a float object and a pointer to it a coordinate
product = lloyd_cost(lambda d: 2 * d + 2, lambda X, C0: 2 * BLOCK * len(C0) * X.itemsize + 24 * len(X))
fused = lloyd_cost(lambda d: 2 * d + 1, lambda X, C0: X.nbytes + 4 * len(X) + 128 * (C0.size + len(C0)))
two_bounds = bounds_cost(lambda k: 5, lambda X, C0: (4 + 2 * X.itemsize) * len(X) + 128 * (C0.size + len(C0)))
copied = lloyd_cost(lambda d: 2 * d + 2, lambda X, C0: X.nbytes + 16 * len(X))
many_bounds = bounds_cost(lambda k: k, lambda X, C0: X.nbytes + X.itemsize * len(X) * (len(C0) + 3))

# Both laws measure in units of what rounding permits.
LAWS = {"assignment": assignment, "centres": centres}
BOUND = dict.fromkeys(LAWS, lambda X, C0, iterations: 1.0)
AWKWARD = ({"n": 1, "d": 1, "k": 1}, {"n": 67, "d": 1, "k": 5}, {"n": 257, "d": 7, "k": 11, "iterations": 3})
FAR = {"far-off": "|x|^2 - 2 x.c + |c|^2 cancels far from the origin"}
DIFFERS = {"requires": ("sklearn",), "skip": where_scikit_differs}

EXPERIMENT = Experiment(
    problems=(
        Problem(clouds, small={"n": 500, "d": 3, "k": 5}, awkward=AWKWARD),
        Problem(unequal, kind="hard", small={"n": 500}, awkward=AWKWARD),
        Problem(far_off, kind="hard", small={"n": 500, "d": 3, "k": 5}, awkward=AWKWARD),
        Problem(ties, kind="hard", small={"n": 500}, awkward=({"n": 1, "d": 1, "k": 1}, {"n": 97, "d": 1, "k": 7})),
        Problem(
            photograph, kind="real", small={"stride": 20, "colours": 8}, thins=("stride",), requires=("sklearn", "PIL")
        ),
    ),
    oracle=enclosure,
    laws=LAWS,
    figures={"inertia": inertia},
    implementations=(
        Implementation(lloyd_loops, "textbook", cost=lists, bound=BOUND),
        Implementation(lloyd_vectorised, "vectorised", cost=differences, bound=BOUND),
        Implementation(lloyd_blas, "vectorised", cost=product, bound=BOUND, unstable=FAR),
        Implementation(lloyd_compiled, "compiled", cost=fused, bound=BOUND),
        Implementation(hamerly_compiled, "compiled", cost=two_bounds, bound=BOUND),
        Implementation(lloyd_dask, "distributed", cost=product, bound=BOUND, prepare=into_blocks, arrays="dask"),
        Implementation(scikit_lloyd, "library", cost=copied, bound=BOUND, **DIFFERS),
        Implementation(scikit_elkan, "library", cost=many_bounds, bound=BOUND, **DIFFERS),
    ),
    picture=picture,
)
