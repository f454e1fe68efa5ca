"""Conjugate gradients compiled: three passes a step instead of six, and a preconditioner that NumPy cannot write."""

from __future__ import annotations

import math

import numpy as np

from exp_core.compiled import FUSE, REORDER, njit, prange

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
    x, k = fused(data, indices.view(np.uint32), indptr.view(np.uint32), b, tolerance, 10 * b.size)
    return x, int(k)


@njit
def incomplete_cholesky(data, indices, indptr):
    """L with L L^T = A wherever A has an entry: fill-in is dropped.  Its rows, diagonal last; NaN where none exists.

    It exists for every M-matrix (Meijerink and van der Vorst 1977).  Columns are sorted in each row.
    """
    n = indptr.size - 1
    pointers = np.zeros(n + 1, np.int64)
    for i in range(n):
        count = 0
        for e in range(indptr[i], indptr[i + 1]):
            count += indices[e] <= i
        pointers[i + 1] = pointers[i] + count
    columns, L = np.empty(pointers[n], indices.dtype), np.empty(pointers[n], data.dtype)
    for i in range(n):
        first, f = pointers[i], pointers[i]
        for e in range(indptr[i], indptr[i + 1]):
            j = indices[e]
            if j > i:
                break
            s, a, c = data[e], first, pointers[j]
            while a < f and c < pointers[j + 1] - 1:  # columns before j that rows i and j share
                if columns[a] == columns[c]:
                    s -= L[a] * L[c]
                    a += 1
                    c += 1
                elif columns[a] < columns[c]:
                    a += 1
                else:
                    c += 1
            if j == i:
                s = data[e]
                for a in range(first, f):
                    s -= L[a] * L[a]
                L[f] = math.sqrt(s)
            else:
                L[f] = s / L[pointers[j + 1] - 1]
            columns[f] = j
            f += 1
    return L, columns, pointers


@njit(fastmath=REORDER)
def apply_incomplete(L, columns, pointers, r, z):
    """z = (L L^T)^-1 r: forwards by rows, backwards by scattering each row."""
    n = r.size
    for i in range(n):
        s, last = r[i], pointers[i + 1] - 1
        for e in range(pointers[i], last):
            s -= L[e] * z[columns[e]]
        z[i] = s / L[last]
    for i in range(n - 1, -1, -1):
        last = pointers[i + 1] - 1
        t = z[i] / L[last]
        z[i] = t
        for e in range(pointers[i], last):
            z[columns[e]] -= L[e] * t


@njit(fastmath=REORDER)
def incomplete(data, indices, indptr, b, tolerance, limit):
    """Preconditioned CG with IC(0)."""
    n = b.size
    L, columns, pointers = incomplete_cholesky(data, indices, indptr)
    x, r, p, z, Ap = np.zeros_like(b), b.copy(), np.zeros_like(b), np.empty_like(b), np.empty_like(b)
    rr = 0.0
    for i in range(n):
        rr += b[i] * b[i]
    enough = tolerance * tolerance * rr
    before, k = 1.0, 0
    while rr > enough and k < limit:
        apply_incomplete(L, columns, pointers, r, z)
        rz = 0.0
        for i in range(n):
            rz += r[i] * z[i]
        beta = rz / before if k else 0.0
        for i in range(n):
            p[i] = z[i] + beta * p[i]
        pAp = 0.0
        for i in range(n):
            t = 0.0
            for e in range(indptr[i], indptr[i + 1]):
                t += data[e] * p[indices[e]]
            Ap[i] = t
            pAp += t * p[i]
        alpha, rr = rz / pAp, 0.0
        for i in range(n):
            x[i] += alpha * p[i]
            r[i] -= alpha * Ap[i]
            rr += r[i] * r[i]
        before = rz
        k += 1
    return x, k


def cg_incomplete_cholesky(data, indices, indptr, b, tolerance):
    """Preconditioned by IC(0), Cholesky without fill-in: fewer steps, each with two solves that are one long chain."""
    x, k = incomplete(data, indices, indptr, b, tolerance, 10 * b.size)
    return x, int(k)
