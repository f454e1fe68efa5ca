"""Brute force whose distances never reach memory: products in vector registers, then only those that may be near.

Tiles of points, as in k-means (``_kmeans_compiled``), four queries at a time: $|x|^2/2 - x \\cdot q$ orders the points
as their distances do.  What comes out is compared with the worst kept so far, without a branch; the few that pass are
put into the query's list.

These values are rounded, so a few more than k are kept, and their distances computed again by differences.  If the
worst one kept lies farther behind the k-th than rounding can explain, nothing outside the list belongs into it: the
answer is exact.  If not (ties), that query is answered once more by differences alone.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit, prange
from exp_core.tasks import WORKERS, take
from exp_core.tensor import gamma
from maths_exp.algorithms._kmeans_compiled import TILE, middle, tile_up
from maths_exp.algorithms._kmeans_simd import load, minus_product, store

EXTRA = 6  # kept beyond k
QUERIES = 32  # a worker takes at a time
CHUNK = 32  # tiles whose values are selected from at a time


def brute_compiled(X, Q, k):
    """Products and selection fused, in threads; the k that are left are measured again by differences."""
    lanes = TILE // X.itemsize
    origin = middle(X)
    tiles = tile_up(X, origin, lanes)  # (tiles, d lanes)
    half = half_norms(tiles, lanes, len(X))
    padded = np.zeros((-(-len(Q) // 4) * 4, X.shape[1]), X.dtype)
    padded[: len(Q)] = Q - origin
    indices, D2 = np.empty((len(Q), k), np.int64), np.empty((len(Q), k), X.dtype)
    # two values are compared, each within gamma of (|x| + |q|)^2; the shift of the origin rounds once more
    slack = X.dtype.type(4 * gamma(X.shape[1] + 5, X))
    search(tiles, half, X, Q, padded, min(k + EXTRA, len(X)), slack, indices, D2)
    return indices, D2


@njit
def half_norms(tiles, lanes, n):
    """$|x|^2 / 2$ of every point; infinite for the zeros after the last."""
    half = np.full(len(tiles) * lanes, np.inf, tiles.dtype)
    for i in range(n):
        s = tiles.dtype.type(0)
        for q in range(tiles.shape[1] // lanes):
            s += tiles[i // lanes, q * lanes + i % lanes] ** 2
        half[i] = s / 2
    return half


@njit
def values(tile, half, first, Q, row, out, start):
    """$|x|^2/2 - x \\cdot q$ for a tile of points and four queries: to out[0..3, start ...]."""
    d, lanes = Q.shape[1], out.shape[1] // CHUNK
    wide = lanes // 2
    p0 = p1 = p2 = p3 = load(half, first)
    s0 = s1 = s2 = s3 = load(half, first + wide)
    for c in range(d):
        x, y = load(tile, lanes * c), load(tile, lanes * c + wide)
        p0, s0 = minus_product(p0, Q[row, c], x), minus_product(s0, Q[row, c], y)
        p1, s1 = minus_product(p1, Q[row + 1, c], x), minus_product(s1, Q[row + 1, c], y)
        p2, s2 = minus_product(p2, Q[row + 2, c], x), minus_product(s2, Q[row + 2, c], y)
        p3, s3 = minus_product(p3, Q[row + 3, c], x), minus_product(s3, Q[row + 3, c], y)
    store(out[0], start, p0)
    store(out[0], start + wide, s0)
    store(out[1], start, p1)
    store(out[1], start + wide, s1)
    store(out[2], start, p2)
    store(out[2], start + wide, s2)
    store(out[3], start, p3)
    store(out[3], start + wide, s3)


@njit
def insert(value, index, best, where):
    """Put a value into the ascending list, if it is less than the last, which falls out; of equals the first stays."""
    place = best.size - 1
    if not value < best[place]:
        return
    while place > 0 and best[place - 1] > value:
        best[place], where[place] = best[place - 1], where[place - 1]
        place -= 1
    best[place], where[place] = value, index


@njit
def squared_distance(X, i, Q, j):
    """By differences: nothing cancels."""
    s = X.dtype.type(0)
    for c in range(X.shape[1]):
        difference = X[i, c] - Q[j, c]
        s += difference * difference
    return s


@njit(parallel=True)
def search(tiles, half, X, Q, padded, keep, slack, indices, D2):
    """Each worker takes some queries, and goes through all tiles with them."""
    n, m = len(X), len(Q)
    lanes = half.size // len(tiles)
    reach = np.sqrt(2 * half[:n].max())
    counter = np.zeros(1, np.int64)
    for _ in prange(WORKERS):
        best, where = np.empty((QUERIES, keep), X.dtype), np.empty((QUERIES, keep), np.int64)
        out, passed = np.empty((4, CHUNK * lanes), X.dtype), np.empty(CHUNK * lanes, np.int64)
        piece = take(counter)
        while piece * QUERIES < m:
            first, last = piece * QUERIES, min(m, (piece + 1) * QUERIES)
            best[:] = np.inf
            where[:] = 0
            for t in range(0, len(tiles), CHUNK):
                end = min(len(tiles), t + CHUNK)
                for row in range(first, last, 4):
                    for u in range(t, end):
                        values(tiles[u], half, u * lanes, padded, row, out, (u - t) * lanes)
                    for j in range(row, min(row + 4, last)):
                        found, mine = out[j - row], best[j - first]
                        worst, count = mine[keep - 1], 0
                        for i in range((end - t) * lanes):  # without a branch: almost none pass, but when is a guess
                            passed[count] = i
                            count += found[i] < worst
                        for i in passed[:count]:
                            insert(found[i], t * lanes + i, mine, where[j - first])
            for j in range(first, last):
                answer(j, best[j - first], where[j - first], X, Q, padded, reach, slack, indices[j], D2[j])
            piece = take(counter)


@njit
def answer(j, best, where, X, Q, padded, reach, slack, indices, D2):
    """The k of the kept that are nearest by differences, if nobody else can be; else the k nearest of all."""
    n, k = len(X), indices.size
    D2[:] = np.inf
    for i in where:
        insert(squared_distance(X, i, Q, j), i, D2, indices)
    size = X.dtype.type(0)
    for c in range(X.shape[1]):
        size += padded[j, c] * padded[j, c]
    behind = 2 * best[-1] + size  # the squared distance of the worst kept: nobody outside is nearer
    if best.size < n and not behind - slack * (reach + np.sqrt(size)) ** 2 > D2[k - 1]:
        D2[:] = np.inf
        for i in range(n):
            insert(squared_distance(X, i, Q, j), i, D2, indices)
