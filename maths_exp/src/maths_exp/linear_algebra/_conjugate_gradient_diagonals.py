"""A grid's matrix lies on a few diagonals: without column numbers, products are whole vectors side by side."""

from __future__ import annotations

import numpy as np

from exp_core import Skip
from exp_core.compiled import REORDER, njit, prange
from maths_exp.linear_algebra._conjugate_gradient_compiled import LIMIT, total

ROWS = 2048  # rows a block: its part of the product stays in L1 while the diagonals go by
MOST = 32  # diagonals; a matrix with more is not a grid's


@njit
def count_diagonals(indices, indptr):
    """used[offset + n - 1]: whether A has an entry on that diagonal."""
    n = indptr.size - 1
    used = np.zeros(2 * n - 1, np.bool_)
    for i in range(n):
        for e in range(indptr[i], indptr[i + 1]):
            used[np.int64(indices[e]) - i + n - 1] = True
    return used


@njit(parallel=True)
def to_diagonals(data, indices, indptr, offsets):
    """D[d, i] = A[i, i + offsets[d]]."""
    n = indptr.size - 1
    D = np.zeros((offsets.size, n), data.dtype)
    for c in prange((n + ROWS - 1) // ROWS):
        for i in range(c * ROWS, min(n, (c + 1) * ROWS)):
            d = 0
            for e in range(indptr[i], indptr[i + 1]):
                while offsets[d] < np.int64(indices[e]) - i:
                    d += 1
                D[d, i] += data[e]
    return D


@njit(fastmath=REORDER)
def block_product(D, offsets, padded, first, out):
    """Some rows of A p, from the first on, and their part of p^T A p; padded is p there, and as far as A reaches."""
    wide = (padded.size - out.size) // 2
    out[:] = 0
    for d in range(offsets.size):
        entries, moved = D[d, first : first + out.size], padded[wide + offsets[d] :]
        for i in range(out.size):
            out[i] += entries[i] * moved[i]
    s, here = 0.0, padded[wide:]
    for i in range(out.size):
        s += out[i] * here[i]
    return s


@njit(parallel=True, fastmath=REORDER)
def by_diagonals(D, offsets, b, tolerance, limit):
    """As fused(); p has room of zeros at both ends, so that no diagonal leaves it."""
    n, wide = b.size, offsets[-1]
    blocks = (n + ROWS - 1) // ROWS
    parts = np.empty(blocks)
    x, Ap, r = np.zeros_like(b), np.empty_like(b), b.copy()
    padded = np.zeros(n + 2 * wide, b.dtype)
    for c in prange(blocks):
        s = 0.0
        for v in b[c * ROWS : (c + 1) * ROWS]:
            s += v * v
        parts[c] = s
    rr = total(parts)
    enough = tolerance * tolerance * rr
    alpha, beta, k = 0.0, 0.0, 0
    while rr > enough and k < limit:
        for c in prange(blocks):
            first, last = c * ROWS, min(n, (c + 1) * ROWS)
            xs, rs, ps = x[first:last], r[first:last], padded[wide + first : wide + last]
            for i in range(last - first):
                xs[i] += alpha * ps[i]
                ps[i] = rs[i] + beta * ps[i]
        for c in prange(blocks):
            first, last = c * ROWS, min(n, (c + 1) * ROWS)
            parts[c] = block_product(D, offsets, padded[first : last + 2 * wide], first, Ap[first:last])
        alpha = rr / total(parts)
        for c in prange(blocks):
            first, last = c * ROWS, min(n, (c + 1) * ROWS)
            rs, out = r[first:last], Ap[first:last]
            s = 0.0
            for i in range(last - first):
                t = rs[i] - alpha * out[i]
                rs[i] = t
                s += t * t
            parts[c] = s
        before = rr
        rr = total(parts)
        beta = rr / before
        k += 1
    for i in range(n):
        x[i] += alpha * padded[wide + i]
    return x, k


def not_a_grid(data, indices, indptr, b, tolerance):
    """Stored by diagonals, a matrix takes n numbers for each: few of them, or not at all."""
    rows = np.repeat(np.arange(b.size), np.diff(indptr))
    diagonals = np.unique(indices - rows).size
    return None if diagonals <= MOST else Skip(f"A has {diagonals} diagonals, more than {MOST}")


def cg_diagonals(data, indices, indptr, b, tolerance):
    """Sorted by diagonals first: 8 bytes an entry instead of 12, nothing gathered, eight rows an instruction."""
    offsets = np.flatnonzero(count_diagonals(indices, indptr)) - (b.size - 1)
    if offsets.size > MOST:
        raise ValueError(f"A has {offsets.size} diagonals, more than {MOST}: take compressed rows")
    D = to_diagonals(data, indices, indptr, offsets)
    x, k = by_diagonals(D, offsets, b, tolerance, LIMIT * b.size)
    return x, int(k)
