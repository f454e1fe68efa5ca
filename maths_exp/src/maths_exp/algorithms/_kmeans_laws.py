"""What every right run of Lloyd's iteration has in common, however it rounds.

Rounding may decide a near tie either way; a point on the other side moves two centres, and from there the runs part.
So a result is compared not with one run but with all that rounding permits: the oracle follows Lloyd's iteration in
float64 and carries, for each centre, the radius of a ball in which every run must find it. In float64 that is 1e-12; in
float32 with many points one near tie leads to the next, until the ball holds all points. Then the oracle measures
instead how far runs part that are disturbed by as much as the worst rounding (D. S. Parker, Monte Carlo Arithmetic,
UCLA CSD-970002, 1997).

u is the unit roundoff, m the mean of the points, R the largest distance of a point or centre from m, M = |m| + R.
An implementation may shift the origin to m, and then rounds relative to R; but what it takes and returns is rounded
relative to M.
"""

from __future__ import annotations

import numpy as np

from exp_core.tensor import gamma, unit_roundoff

BLOCK = 4096  # points at a time: their distances stay in the cache
LAMBDA = 8.0  # the roundings of a sum exceed 8 standard deviations with a probability of 2 exp(-8**2 / 2) = 3e-14
TELLING = 0.01  # a radius says something if it is less than this part of R; if not, the oracle measures
RUNS = 2  # disturbed runs
FARTHER = 10.0  # a run that parts 10 times as far as the farthest of these, disturbed by much more than it, is wrong


def squared_distances(x, C):
    """All squared distances of points x (n, d) from centres C (k, d), both float64 and near the origin: (n, k)."""
    return np.maximum((x * x).sum(axis=1)[:, None] - 2 * (x @ C.T) + (C * C).sum(axis=1), 0)


def scales(X, C):
    """m, R and M of these points and centres."""
    m = X.mean(axis=0, dtype=np.float64)
    R = max(np.sqrt(((Z - m) ** 2).sum(axis=1).max()) for Z in (X, C))
    return m, R, np.linalg.norm(m) + R


def slack(x, R, M, X):
    """By how much rounding may misjudge the difference of two squared distances from points x, m the origin: (n, 1).

    In $\\|c\\|^2 - 2x \\cdot c$ a product meets at most d + 3 roundings: d in the sum, the difference, two shifts;
    the terms' sizes add up to at most $S^2$, $S = |x| + R$: Higham, Accuracy and Stability (2002), section 3.1. A
    centre shifted back is off by $uM$, a squared distance by $2SuM$. Two are compared: twice all this. The law
    itself is evaluated in float64.
    """
    S = np.linalg.norm(x, axis=1, keepdims=True) + R
    return 2 * (gamma(x.shape[1] + 3, X) + gamma(x.shape[1] + 3, "float64")) * S**2 + 4 * unit_roundoff(X) * S * M


def rounding(N, R, M, X):
    """How far rounding may take the means of N points each: roundings of both signs grow like the root of their number.

    Partial sums are at most N R if the points are shifted; if not, N M, and they are float64. Then the mean is rounded.
    Source: Higham and Mary, SIAM J. Sci. Comput. 41 (2019), A2815, theorem 2.4.
    """
    u, u64 = unit_roundoff(X), unit_roundoff("float64")
    return LAMBDA * np.sqrt(N) * (u * R + u64 * M) + 2 * (u + u64) * M


def assignment(result, X, C0, iterations, truth):
    """How much nearer than its centre another one is, squared, over what rounding may misjudge: the worst point.

    The labels are those of the returned centres, and of two in a near tie either may be taken. An unknown label is NaN.
    """
    C, labels = np.asarray(result[0], np.float64), np.asarray(result[1])
    if labels.shape != (len(X),) or labels.min() < 0 or labels.max() >= len(C) or not np.isfinite(C).all():
        return float("nan")
    m, R, M = scales(X, C)
    worst = 0.0
    for i in range(0, len(X), BLOCK):
        x = X[i : i + BLOCK] - m
        D2 = squared_distances(x, C - m)
        excess = np.take_along_axis(D2, labels[i : i + BLOCK, None], 1)[:, 0] - D2.min(axis=1)
        worst = max(worst, (excess / (slack(x, R, M, X)[:, 0] + np.finfo(float).tiny)).max())
    return worst


def centres(result, X, C0, iterations, truth):
    """Distance of each centre from the oracle's, over the radius in which a right run must find it: the worst one."""
    C, radius = truth
    return (np.linalg.norm(result[0] - C, axis=1) / (radius + np.finfo(float).tiny)).max()


def inertia(result, X, C0, iterations, truth):
    """Sum of the squared distances from the assigned centres."""
    return float(((X - np.asarray(result[0], np.float64)[result[1]]) ** 2).sum())


def enclosure(X, C0, iterations):
    """Lloyd's iteration in float64: the centres, and for each the radius within which every rounded run must end."""
    m, R, M = scales(X, C0)
    C, radius, joined, before = C0 - m, np.zeros(len(C0)), np.zeros(len(C0)), None
    for _ in range(iterations):
        C, labels, radius = step(X, C, radius, m, R, M)
        # A sum may be kept up to date: as many roundings as points have ever joined or left it.
        changed = slice(None) if before is None else labels != before
        for moved in (labels[changed], () if before is None else before[changed]):
            joined += np.bincount(np.asarray(moved, np.intp), minlength=len(C))
        radius, before = radius + rounding(joined, R, M, X), labels
    if radius.max() > TELLING * R:
        radius = np.full(len(C), FARTHER * spread(X, C0, C, iterations, m, R, M))
    return C + m, radius


def step(X, C, radius, m, R, M, rng=None):
    """One iteration: the new centres, the labels, and how far off a run can be that was within the radius before.

    With a generator, the squared distances are disturbed as rounding may disturb them, and no radius is carried.
    """
    k, d = C.shape
    N, sure, S = np.zeros(k), np.zeros(k), np.zeros((k, d))
    labels = np.empty(len(X), np.intp)
    doubts = []  # block by block: which points (rows of X) a run may or may not assign to which centre
    for i in range(0, len(X), BLOCK):
        x = X[i : i + BLOCK] - m
        D2, allowed = squared_distances(x, C), slack(x, R, M, X)
        if rng is not None:
            D2 += (rng.random(D2.shape, np.float32) - 0.5) * allowed
        nearest = labels[i : i + BLOCK] = D2.argmin(axis=1)
        N += np.bincount(nearest, minlength=k)
        S += np.stack([np.bincount(nearest, column, k) for column in x.T], axis=1)
        if rng is None and radius.max() <= TELLING * R:
            D = np.sqrt(D2)
            reach = (D + radius).min(axis=1, keepdims=True) ** 2 + allowed
            possible = np.maximum(D - radius, 0) ** 2 <= reach
            doubtful = possible.sum(axis=1) > 1
            sure += np.bincount(nearest[~doubtful], minlength=k)
            doubts.append(np.argwhere(possible & doubtful[:, None]) + np.array([i, 0]))
    new = np.where(N[:, None] > 0, S / np.maximum(N, 1)[:, None], C)  # an empty cluster's centre stays
    if not doubts:
        return new, labels, np.full(k, R)
    point, centre = np.concatenate(doubts).T
    off = np.linalg.norm(X[point] - m - new[centre], axis=1)
    # Doubtful points in or out, a mean moves by at most their distances from it, over the number of its points. Without
    # a single sure point it is a mean of doubtful ones; or the cluster is empty, and its centre stays.
    farthest = np.linalg.norm(new - C, axis=1) + radius
    np.maximum.at(farthest, centre, off)
    return new, labels, np.where(sure > 0, np.bincount(centre, off, k) / np.maximum(sure, 1), farthest)


def spread(X, C0, C, iterations, m, R, M):
    """How far from the centres C some disturbed runs end: the farthest centre of all."""
    rng, farthest = np.random.default_rng(0), 0.0
    for _ in range(RUNS):
        disturbed = C0 - m
        for _ in range(iterations):
            disturbed, labels, _ = step(X, disturbed, None, m, R, M, rng)
            N = np.bincount(labels, minlength=len(C))
            disturbed += rng.uniform(-1, 1, C.shape) * rounding(N, R, M, X)[:, None] / np.sqrt(C.shape[1])
        farthest = max(farthest, np.linalg.norm(disturbed - C, axis=1).max())
    return farthest
