"""Lloyd's iteration without most of its distances: the triangle inequality proves that a point stays where it is.

For each point keep an upper bound of its distance from its centre and a lower bound of that from every other centre.
When centres move, so do the bounds, by as much as the centres moved at most. As long as the upper one is below the
lower one, or below half the distance from its centre to the nearest other one, the point keeps its label unseen.

Every bound is widened by more than rounding can have taken from it: the labels are those of Lloyd's iteration.

Source    G. Hamerly, Making k-means even faster, SIAM International Conference on Data Mining (2010), 130-140.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import REORDER, njit, prange
from exp_core.tensor import gamma
from maths_exp.algorithms._kmeans_compiled import PARTS, TILE, empty_sums, means, middle, move, nearest_two, padded


def hamerly_compiled(X, C0, iterations):
    """Unlike Lloyd, look only at points that bounds on their distances do not hold where they are."""
    n, d = X.shape
    origin = middle(X)
    C = C0 - origin
    labels, upper, lower = np.full(n, -1, np.int32), np.empty(n, X.dtype), np.zeros(n, X.dtype)
    sums, counts = empty_sums(C)
    wider = gamma(d + 8, X)  # more than the d + 4 roundings of a squared distance and those of a bound itself
    drift = others = np.zeros(len(C), X.dtype)
    for _ in range(iterations):
        revise(X, origin, *padded(C), separations(C), drift, others, wider, labels, upper, lower, sums, counts)
        before, C = C, means(sums, counts, C)
        drift = np.sqrt(((C - before) ** 2).sum(axis=1)) * X.dtype.type(1 + wider)
        others = farthest_other(drift)
    revise(X, origin, *padded(C), separations(C), drift, others, wider, labels, upper, lower, sums, counts)
    return C + origin, labels


def farthest_other(drift):
    """For each centre, how far the others moved at most."""
    largest = drift.argmax()
    others = np.full_like(drift, drift[largest])
    others[largest] = np.delete(drift, largest).max(initial=0)
    return others


@njit
def separations(C):
    """Half the distance from each centre to the nearest other one."""
    k, d = C.shape
    nearest = np.full(k, np.inf, C.dtype)
    for j in range(k):
        for m in range(j):
            D2 = C.dtype.type(0)
            for q in range(d):
                D2 += (C[j, q] - C[m, q]) ** 2
            nearest[j], nearest[m] = min(nearest[j], D2), min(nearest[m], D2)
    return np.sqrt(nearest) / C.dtype.type(2)


@njit(fastmath=REORDER)
def distance(X, i, origin, C, j):
    """From point i to centre j."""
    D2 = C.dtype.type(0)
    for q in range(origin.size):
        D2 += (X[i, q] - origin[q] - C[j, q]) ** 2
    return np.sqrt(D2)


@njit
def settle(X, origin, C, half, wider, waiting, count, tile, best, labels, upper, lower, sums, counts):
    """The nearest centre and both bounds anew for the waiting points, all in one tile."""
    lanes = waiting.size
    squares = np.zeros(lanes, C.dtype)  # |x|^2
    for lane in range(count):
        for q in range(origin.size):
            x = X[waiting[lane], q] - origin[q]
            tile[q * lanes + lane] = x
            squares[lane] += x * x
    nearest_two(tile, C, half, best[0], best[1], best[2])
    reach = np.sqrt(2 * half[half < np.inf].max())
    for lane in range(count):
        i, new = waiting[lane], np.int32(best[2, lane])
        error = 2 * wider * (np.sqrt(squares[lane]) + reach) ** 2  # of |x - c|^2 = |x|^2 + 2 (|c|^2 / 2 - x . c)
        upper[i] = np.sqrt(max(squares[lane] + 2 * best[0, lane], 0) + error)
        lower[i] = np.sqrt(max(squares[lane] + 2 * best[1, lane] - error, 0))
        if new != labels[i]:
            move(tile, lane, lanes, labels[i], new, sums, counts)
            labels[i] = new


@njit(parallel=True)
def revise(X, origin, C, half, separation, drift, others, wider, labels, upper, lower, sums, counts):
    """Move the bounds along with the centres; points that these do not hold wait until they fill a tile."""
    n, lanes = len(X), TILE // X.itemsize
    for p in prange(PARTS):
        waiting, count = np.empty(lanes, np.int64), 0
        tile, best = np.zeros(C.shape[1] * lanes, C.dtype), np.empty((3, lanes), C.dtype)
        part_sums, part_counts = sums[p], counts[p]
        for i in range(n * p // PARTS, n * (p + 1) // PARTS):
            label = labels[i]
            if label >= 0:
                upper[i] = (upper[i] + drift[label]) * (1 + wider)
                lower[i] = max(lower[i] - others[label], 0) * (1 - wider)
                safe = max(lower[i], separation[label] * (1 - wider))
                if upper[i] > safe:
                    upper[i] = distance(X, i, origin, C, label) * (1 + wider)
                if upper[i] <= safe:
                    continue
            waiting[count] = i
            count += 1
            if count == lanes:
                settle(
                    X, origin, C, half, wider, waiting, count, tile, best, labels, upper, lower, part_sums, part_counts
                )
                count = 0
        settle(X, origin, C, half, wider, waiting, count, tile, best, labels, upper, lower, part_sums, part_counts)
