"""Conjugate gradients compiled: three passes a step instead of six."""

from __future__ import annotations

import numpy as np

from exp_core.compiled import FUSE, REORDER, njit, prange

LIMIT = 10  # times n: with rounding it may take more than the n steps of exact arithmetic
ROWS = 4096  # rows a block: the blocks' sums are added in their order, whatever the threads


@njit
def total(parts):
    """From first to last: parts.sum() in a parallel function is cut up by the number of threads."""
    s = 0.0
    for part in parts:
        s += part
    return s


@njit(fastmath=FUSE)
def row_product(data, indices, start, stop, p):
    """One row of A p, entry by entry: a vector loop would be set up for five entries and take longer."""
    t = 0.0
    for e in range(start, stop):
        t += data[e] * p[indices[e]]
    return t


@njit(parallel=True, fastmath=REORDER)
def fused(data, indices, indptr, b, tolerance, limit):
    """x is brought up to date while the next p is made: one pass less over p."""
    n = b.size
    blocks = (n + ROWS - 1) // ROWS
    parts = np.empty(blocks)
    x, p, Ap, r = np.zeros_like(b), np.zeros_like(b), np.empty_like(b), b.copy()
    for c in prange(blocks):
        s = 0.0
        for i in range(c * ROWS, min(n, (c + 1) * ROWS)):
            s += b[i] * b[i]
        parts[c] = s
    rr = total(parts)
    enough = tolerance * tolerance * rr
    alpha, beta, k = 0.0, 0.0, 0
    while rr > enough and k < limit:
        for c in prange(blocks):
            for i in range(c * ROWS, min(n, (c + 1) * ROWS)):
                x[i] += alpha * p[i]
                p[i] = r[i] + beta * p[i]
        for c in prange(blocks):
            s = 0.0
            for i in range(c * ROWS, min(n, (c + 1) * ROWS)):
                t = row_product(data, indices, indptr[i], indptr[i + 1], p)
                Ap[i] = t
                s += t * p[i]
            parts[c] = s
        alpha = rr / total(parts)
        for c in prange(blocks):
            s = 0.0
            for i in range(c * ROWS, min(n, (c + 1) * ROWS)):
                t = r[i] - alpha * Ap[i]
                r[i] = t
                s += t * t
            parts[c] = s
        before = rr
        rr = total(parts)
        beta = rr / before
        k += 1
    for i in range(n):
        x[i] += alpha * p[i]
    return x, k


def cg_fused(data, indices, indptr, b, tolerance):
    """Three passes a step, in threads: x and p together, the product with its dot, r with its norm."""
    # Unsigned: a negative index would count from the end, and each one is asked whether it does.
    x, k = fused(data, indices.view(np.uint32), indptr.view(np.uint32), b, tolerance, LIMIT * b.size)
    return x, int(k)
