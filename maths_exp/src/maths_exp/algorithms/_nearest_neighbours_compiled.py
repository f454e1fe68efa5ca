"""Brute force whose distances never leave the first-level cache: a tile of products, then only those that may be near.

$|x|^2/2 - x \\cdot q$ orders the points as their distances do.  It is the product of $(-q, 1)$ and $(x, |x|^2/2)$, so
that the kernel of the matrix product (``exp_core.vector.tiles``) computes it, one tile of queries and points at a time.
Each row of a tile is compared with the worst value that its query has kept so far, as vectors: hardly any row has one
that is less, and of those that have, only the lanes that are less are looked at one by one.

These values are rounded, so a few more than k are kept, and their distances computed again by differences.  If the
worst one kept lies farther behind the k-th than rounding can explain, nothing outside the list belongs into it: the
answer is exact.  If not (ties), the tiles are made once more, and of all points that by their values could be nearer
the distances are computed by differences.
"""

from __future__ import annotations

import functools

import numpy as np

from exp_core.compiled import intrinsic, njit, prange
from exp_core.tasks import WORKERS, take
from exp_core.tensor import gamma
from exp_core.vector.registers import Matrix, registers
from exp_core.vector.tiles import full_tile

EXTRA = 6  # kept beyond k
QUERIES = 64  # a worker takes at a time: they and a tile of points share the first-level cache


def brute_compiled(X, Q, k):
    """Products and selection fused, in threads; the k that are left are measured again by differences."""
    host = registers()
    origin = X.mean(axis=0)  # moved here, little cancels
    panels, reach = side_by_side(X, origin, host.vectors * host.lanes(X.itemsize))
    rows = with_one(Q - origin, host.rows)
    indices, D2 = np.empty((len(Q), k), np.int64), np.empty((len(Q), k), X.dtype)
    # two values are compared, each within gamma of (|x| + |q|)^2; the shift of the origin rounds once more
    slack = X.dtype.type(4 * gamma(X.shape[1] + 5, X))
    search(panels, X, Q, rows, host.rows, min(k + EXTRA, len(X)), reach, slack, indices, D2)
    return indices, D2


def side_by_side(X, origin, width):
    """Panels of $(x, |x|^2/2)$, (panels, d + 1, width): one coordinate of many points, then the next; greatest |x|."""
    n, d = X.shape
    panels = np.empty((-(-n // width), d + 1, width), X.dtype)
    pack(X, origin, panels)
    half = panels[:, d].reshape(-1)[:n]
    return panels, np.sqrt(2 * half.max())


@njit(parallel=True)
def pack(X, origin, panels):
    """Fill the panels with $x$ from the origin, and the last of them up with points that are infinitely far."""
    n, d = X.shape
    width = panels.shape[2]
    for p in prange(len(panels)):
        for lane in range(width):
            i, half = p * width + lane, X.dtype.type(0)
            for c in range(d):
                x = X[i, c] - origin[c] if i < n else X.dtype.type(0)
                panels[p, c, lane] = x
                half += x * x / 2
            panels[p, d, lane] = half if i < n else np.inf


def with_one(Q, height):
    """$(-q, 1)$ for each query, and zeros until tiles of this height are full."""
    m, d = Q.shape
    rows = np.zeros((-(-m // height) * height, d + 1), Q.dtype)
    rows[:m, :d], rows[:m, d] = -Q, 1
    return rows


@intrinsic
def which_less(typing, tile, r, value):
    """Which elements of row r of a tile are less than the value: a bit each, the first one lowest."""
    from llvmlite import ir
    from numba import types

    def emit(context, builder, signature, arguments):
        matrix, bits, masks = Matrix(context, builder, signature.args[0], arguments[0]), ir.IntType(64), []
        limit = matrix.spread(arguments[2])
        for v in range(registers().vectors):
            less = builder.fcmp_ordered("<", matrix.load(arguments[1], v), limit)
            mask = builder.zext(builder.bitcast(less, ir.IntType(less.type.count)), bits)
            masks.append(builder.shl(mask, bits(v * less.type.count)))
        return functools.reduce(builder.or_, masks)

    return types.uint64(tile, r, value), emit


@intrinsic
def lowest(typing, bits):
    """The number of the lowest bit that is set; there must be one."""
    from llvmlite import ir
    from numba import types

    def emit(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.int64(bits), emit


@njit
def insert(value, index, j, best, where):
    """Put a value into the ascending list of query j, if it is less than the last, which falls out; the first stays."""
    place = best.shape[1] - 1
    if not value < best[j, place]:
        return
    while place > 0 and best[j, place - 1] > value:
        best[j, place], where[j, place] = best[j, place - 1], where[j, place - 1]
        place -= 1
    best[j, place], where[j, place] = value, index


@njit
def squared_distance(X, i, Q, j):
    """By differences: nothing cancels."""
    s = X.dtype.type(0)
    for c in range(X.shape[1]):
        difference = X[i, c] - Q[j, c]
        s += difference * difference
    return s


@njit(parallel=True)
def search(panels, X, Q, rows, height, keep, reach, slack, indices, D2):
    """Each worker takes some queries, and goes through all panels of points with them."""
    m, width = len(Q), panels.shape[2]
    counter = np.zeros(1, np.int64)
    for _ in prange(WORKERS):
        best, where = np.empty((QUERIES, keep), X.dtype), np.empty((QUERIES, keep), np.int64)
        limits, tile = np.empty(QUERIES, X.dtype), np.empty((height, width), X.dtype)
        piece = take(counter)
        while piece * QUERIES < m:
            first, last = piece * QUERIES, min(m, (piece + 1) * QUERIES)
            best[:] = np.inf
            where[:] = 0
            for p in range(len(panels)):
                for j in range(first, last, height):
                    full_tile(rows[j : j + height], panels[p], tile, False)
                    for r in range(min(height, last - j)):
                        mine = j - first + r
                        less = which_less(tile, r, best[mine, keep - 1])
                        while less:
                            lane = lowest(less)
                            insert(tile[r, lane], p * width + lane, mine, best, where)
                            less &= less - np.uint64(1)
            for j in range(first, last):
                limits[j - first] = answer(j, j - first, best, where, X, Q, rows, reach, slack, indices, D2)
            for j in range(first, last, height):
                end = min(j + height, last)
                if limits[j - first : end - first].max() > -np.inf:
                    measure_again(j, end, limits[j - first :], panels, X, Q, rows, tile, indices, D2)
            piece = take(counter)


@njit
def answer(j, mine, best, where, X, Q, rows, reach, slack, indices, D2):
    """The k of the kept that are nearest by differences; returns the value from which on nobody can be nearer."""
    n, keep, k = len(X), best.shape[1], indices.shape[1]
    D2[j] = np.inf
    for place in range(keep):
        i = where[mine, place]
        insert(squared_distance(X, i, Q, j), i, j, D2, indices)
    size = X.dtype.type(0)
    for c in range(X.shape[1]):
        size += rows[j, c] * rows[j, c]
    limit = (D2[j, k - 1] - size + slack * (reach + np.sqrt(size)) ** 2) / 2
    certain = keep == n or D2[j, k - 1] == 0 or best[mine, keep - 1] > limit
    return X.dtype.type(-np.inf if certain else limit)


@njit
def measure_again(first, last, limits, panels, X, Q, rows, tile, indices, D2):
    """For a tile's queries: those of all points whose values are less than the limit, unless they are there."""
    width = panels.shape[2]
    for p in range(len(panels)):
        full_tile(rows[first : first + len(tile)], panels[p], tile, False)
        for j in range(first, last):
            less = which_less(tile, j - first, limits[j - first])
            while less:
                i = p * width + lowest(less)
                distance = squared_distance(X, i, Q, j)
                if distance < D2[j, -1] and not (indices[j] == i).any():
                    insert(distance, i, j, D2, indices)
                less &= less - np.uint64(1)
