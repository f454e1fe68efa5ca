"""TSQR: Householder on blocks of rows that fit in cache, then on the pile of their triangles, and back.

Idea      Each block of rows is factored by itself: $A_i = Q_i R_i$.  The triangles, one on the other, are a matrix with
          the same R as A, much shorter: factor that in the same way.  Nothing is squared, so this holds for every A.
          A block's reflectors are kept as $Q_i = I - V T V^T$; to apply it to $[C; 0]$ costs one product with V.
Source    J. Demmel, L. Grigori, M. Hoemmen, J. Langou, Communication-optimal parallel and sequential QR and LU
          factorizations, SIAM J. Sci. Comput. 34 (2012), A206-A239.
          T from V: C. Puglisi, Modification of the Householder method based on the compact WY representation (1992).
"""

from __future__ import annotations

import numpy as np

from exp_core.cluster import in_blocks
from exp_core.compiled import REORDER, njit, prange
from maths_exp.linear_algebra._qr_tiles import PAD, add_dots, add_gram, load, padded, store, subtract

BLOCK = 512  # rows of a block at least: it is read once for every four columns, and must stay in cache


@njit(fastmath=REORDER)
def sum_of_squares(x, scale):
    """Sum of (x / scale)^2."""
    s = x.dtype.type(0)
    for a in x:
        s += (a / scale) * (a / scale)
    return s


@njit
def norm(x):
    """The length of x; divided by its largest entry only where squares would overflow or underflow."""
    s = sum_of_squares(x, x.dtype.type(1))
    limits = np.finfo(x.dtype)
    if limits.tiny / limits.eps < s < np.inf:
        return np.sqrt(s)
    big = x.dtype.type(0)
    for a in x:
        big = max(big, abs(a))
    return big * np.sqrt(sum_of_squares(x, big)) if 0 < big < np.inf else np.sqrt(s)


@njit
def reflector(x):
    """x becomes v, with v_0 = 1, so that (I - v v^T / t) x = beta e_0; returns beta, t.  Zeros give v = 0."""
    sigma = norm(x)
    if sigma == 0:
        return sigma, x.dtype.type(1)
    beta = -sigma if x[0] >= 0 else sigma
    pivot = x[0] - beta  # no cancellation: their signs differ
    for r in range(1, x.size):
        x[r] /= pivot
    x[0] = 1
    return beta, -beta / pivot


@njit(fastmath=REORDER)
def reflect(v, t, x):
    """x -= v (v^T x) / t."""
    s = x.dtype.type(0)
    for r in range(x.size):
        s += v[r] * x[r]
    s /= t
    for r in range(x.size):
        x[r] -= v[r] * s


@njit
def factor_tile(t, rows, R, S):
    """The tile becomes V; R is the triangle; S = T^-1 is the upper part of V^T V, with each t on the diagonal."""
    n = t.shape[0]
    W = np.zeros((n, n), t.dtype)
    scale = np.empty(n, t.dtype)
    for j in range(0, n, 4):
        for c in range(j, j + 4):  # a panel of four columns, one reflector after the other
            v = t[c, c:rows]
            R[c, c], scale[c] = reflector(v)
            for k in range(c + 1, j + 4):
                reflect(v, scale[c], t[k, c:rows])
            for i in range(min(c, rows)):  # above the diagonal all is final, and V is zero
                R[i, c] = t[c, i]
                t[c, i] = 0
        for k in range(j, n, 4):
            add_dots(t, j, t, k, rows, W)
        for i in range(j, j + 4):  # all four on the columns to the right: C -= V T^T (V^T C)
            for c in range(j + 4, n):
                for l in range(j, i):
                    W[i, c] -= W[l, i] * W[l, c]
                W[i, c] /= scale[i]
        for k in range(j + 4, n, 4):
            subtract(t, j, t, k, rows, W)
    add_gram(t, rows, S)
    for j in range(n):
        S[j, j] = scale[j]


@njit
def factor_block(A, first, last, V, S, R):
    """One block of rows: its reflectors to V, its triangle to the same columns of R."""
    n, rows = S.shape[0], last - first
    t = np.empty((n, rows + PAD), A.dtype)
    triangle = np.zeros((n, n), A.dtype)
    load(A, first, t, rows)
    factor_tile(t, rows, triangle, S)
    store(t, rows, V, first)
    for i in range(A.shape[0]):
        for j in range(A.shape[0]):
            R[j, i] = triangle[i, j]


@njit
def apply_block(V, first, last, S, C):
    """One block of rows: V becomes Q = (I - V T V^T) [C; 0]."""
    n, rows = S.shape[0], last - first
    t, x = np.empty((n, rows + PAD), V.dtype), np.zeros((n, rows + PAD), V.dtype)
    W = np.zeros((n, n), V.dtype)
    load(V, first, t, rows)
    load(C, 0, x, V.shape[0])
    for i in range(0, n, 4):
        for j in range(0, n, 4):
            add_dots(t, i, x, j, V.shape[0], W)
    for i in range(n - 1, -1, -1):  # S W' = W, from below
        for k in range(i + 1, n):
            for j in range(n):
                W[i, j] -= S[i, k] * W[k, j]
        for j in range(n):
            W[i, j] /= S[i, i]
    for j in range(0, n, 4):
        for k in range(0, n, 4):
            subtract(t, k, x, j, rows, W)
    store(x, rows, V, first)


@njit(parallel=True)
def factor_blocks(A, V, S, R):
    """Factor every block of rows by itself: V holds the reflectors, R the blocks' triangles."""
    m, blocks = A.shape[1], S.shape[0]
    for b in prange(blocks):
        factor_block(A, m * b // blocks, m * (b + 1) // blocks, V, S[b], R[b])


@njit(parallel=True)
def apply_blocks(V, S, C):
    """V becomes Q: every block's reflectors applied to its own rows of C."""
    m, blocks = V.shape[1], S.shape[0]
    for b in prange(blocks):
        apply_block(V, m * b // blocks, m * (b + 1) // blocks, S[b], C[b])


def tsqr(A):
    """Householder on blocks of rows in cache, then on the pile of their triangles: in threads, right for every A."""
    A = np.asfortranarray(A)
    m, n = A.shape
    blocks = max(1, m // max(BLOCK, 4 * n))
    wide = int(padded.py_func(n))
    V = np.empty_like(A)
    S = np.zeros((blocks, wide, wide), A.dtype)
    triangles = np.empty((blocks, n, n), A.dtype)  # each one transposed: columns are contiguous
    factor_blocks(A.T, V.T, S, triangles)
    if blocks == 1:
        C, R = np.eye(n, dtype=A.dtype), triangles[0].T
    else:
        pile = np.asfortranarray(triangles.transpose(0, 2, 1).reshape(blocks * n, n))
        C, R = tsqr(pile)
    C = np.ascontiguousarray(C.reshape(blocks, n, n).transpose(0, 2, 1))
    apply_blocks(V.T, S, C)
    return V, R


def tsqr_dask(A):
    """The same tree as a graph of tasks, LAPACK on each block of rows: on threads here, or on a cluster's workers."""
    import dask.array

    Q, R = dask.array.linalg.tsqr(A)
    return Q, dask.array.triu(R)


def dask_rows(A):
    """A as a dask array in eight blocks of rows, each with at least as many rows as columns."""
    m, n = A.shape
    return (in_blocks(A, max(n, -(-m // 8))),)
