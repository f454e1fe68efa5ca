"""Lloyd's iteration with the distances and the choice of the nearest centre fused: no distance ever reaches memory.

The points are put into tiles, 32 float32 or 16 float64 side by side, coordinate after coordinate: one vector holds the
same coordinate of a row of points, so that comparing two centres is one comparison of vectors, nothing is added up
within a vector, and each loaded coordinate is used for four centres. A point that keeps its label adds nothing new to
its cluster's sum: only those that move are moved from one sum to the other.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit, prange
from maths_exp.algorithms._kmeans_simd import load, minus_product, splat, store, where_less

PARTS = 16  # parts to share out among threads: fixed, so that the result does not depend on their number
TILE = 128  # bytes of a tile's row: two vectors


def lloyd_compiled(X, C0, iterations):
    """Fuse distance and choice in vector registers, in threads; sum up only those points that change their cluster."""
    lanes = TILE // X.itemsize
    origin = middle(X)
    tiles = tile_up(X, origin, lanes)  # (tiles, d lanes)
    labels = np.full(len(tiles) * lanes, -1, np.int32)
    C = C0 - origin
    sums, counts = empty_sums(C)
    for _ in range(iterations):
        assign(tiles, len(X), *padded(C), labels, sums, counts)
        C = means(sums, counts, C)
    assign(tiles, len(X), *padded(C), labels, sums, counts)
    return C + origin, labels[: len(X)]


def padded(C):
    """Four centres at a time: fill up with centres at an infinite distance. And half their squared norms."""
    k, d = C.shape
    centres, half = np.zeros((k + -k % 4, d), C.dtype), np.full(k + -k % 4, np.inf, C.dtype)
    centres[:k], half[:k] = C, (C * C).sum(axis=1) / 2
    return centres, half


def empty_sums(C):
    """For each part the sum and the number of the points of each cluster; sums are float64 for either dtype."""
    return np.zeros((PARTS, *C.shape)), np.zeros((PARTS, len(C)), np.int64)


def means(sums, counts, C):
    """The mean of each cluster; an empty one's centre stays."""
    N = counts.sum(axis=0)[:, None]
    return np.where(N > 0, sums.sum(axis=0) / np.maximum(N, 1), C).astype(C.dtype)


@njit
def middle(X):
    """The mean of the points: with it as origin little cancels in $\\|c\\|^2 - 2x \\cdot c$."""
    n, d = X.shape
    s = np.zeros(d)
    for i in range(n):
        for q in range(d):
            s[q] += X[i, q]
    return (s / n).astype(X.dtype)


@njit(parallel=True)
def tile_up(X, origin, lanes):
    """The points by tiles: shape (tiles, d lanes), zeros after the last point."""
    n, d = X.shape
    tiles = np.zeros(((n + lanes - 1) // lanes, d * lanes), X.dtype)
    for t in prange(len(tiles)):
        tile, start = tiles[t], t * lanes
        for lane in range(min(lanes, n - start)):
            for q in range(d):
                tile[q * lanes + lane] = X[start + lane, q] - origin[q]
    return tiles


@njit
def nearest_two(tile, C, half, best, second, label):
    """For each point of a tile the nearest centre, and ||c||^2 / 2 - x . c of that one and of the second nearest."""
    d, lanes = C.shape[1], best.size // 2
    b0 = b1 = s0 = s1 = splat(half, np.inf)
    l0 = l1 = splat(half, 0)
    for j in range(0, half.size, 4):
        p0 = q0 = splat(half, half[j])
        p1 = q1 = splat(half, half[j + 1])
        p2 = q2 = splat(half, half[j + 2])
        p3 = q3 = splat(half, half[j + 3])
        for q in range(d):
            x, y = load(tile, 2 * lanes * q), load(tile, 2 * lanes * q + lanes)
            p0, q0 = minus_product(p0, C[j, q], x), minus_product(q0, C[j, q], y)
            p1, q1 = minus_product(p1, C[j + 1, q], x), minus_product(q1, C[j + 1, q], y)
            p2, q2 = minus_product(p2, C[j + 2, q], x), minus_product(q2, C[j + 2, q], y)
            p3, q3 = minus_product(p3, C[j + 3, q], x), minus_product(q3, C[j + 3, q], y)
        b0, s0, l0 = insert(p0, j, b0, s0, l0)
        b1, s1, l1 = insert(q0, j, b1, s1, l1)
        b0, s0, l0 = insert(p1, j + 1, b0, s0, l0)
        b1, s1, l1 = insert(q1, j + 1, b1, s1, l1)
        b0, s0, l0 = insert(p2, j + 2, b0, s0, l0)
        b1, s1, l1 = insert(q2, j + 2, b1, s1, l1)
        b0, s0, l0 = insert(p3, j + 3, b0, s0, l0)
        b1, s1, l1 = insert(q3, j + 3, b1, s1, l1)
    store(best, 0, b0)
    store(best, lanes, b1)
    store(second, 0, s0)
    store(second, lanes, s1)
    store(label, 0, l0)
    store(label, lanes, l1)


@njit
def insert(value, j, best, second, label):
    """Keep the least two values, and j if this one is the least; of equal ones the first."""
    second = where_less(value, best, best, where_less(value, second, value, second))
    label = where_less(value, best, splat(best, j), label)
    return where_less(value, best, value, best), second, label


@njit
def move(tile, lane, lanes, old, new, sums, counts):
    """A point leaves one cluster's sum (none if old is negative) and joins another's."""
    for q in range(sums.shape[1]):
        sums[new, q] += tile[q * lanes + lane]
    counts[new] += 1
    if old >= 0:
        for q in range(sums.shape[1]):
            sums[old, q] -= tile[q * lanes + lane]
        counts[old] -= 1


@njit(parallel=True)
def assign(tiles, n, C, half, labels, sums, counts):
    """Give each point the label of its nearest centre, and move those whose label changes."""
    lanes = labels.size // len(tiles)
    for p in prange(PARTS):
        best, second, label = np.empty(lanes, C.dtype), np.empty(lanes, C.dtype), np.empty(lanes, C.dtype)
        moved = np.empty(lanes, np.int64)
        part_sums, part_counts = sums[p], counts[p]
        for t in range(len(tiles) * p // PARTS, len(tiles) * (p + 1) // PARTS):
            tile = tiles[t]
            nearest_two(tile, C, half, best, second, label)
            start, count = t * lanes, 0
            for lane in range(min(lanes, n - start)):  # first list them: a branch here would often be mispredicted
                moved[count] = lane
                count += np.int32(label[lane]) != labels[start + lane]
            for lane in moved[:count]:
                i, new = start + lane, np.int32(label[lane])
                move(tile, lane, lanes, labels[i], new, part_sums, part_counts)
                labels[i] = new
