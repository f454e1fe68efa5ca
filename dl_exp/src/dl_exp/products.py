"""Matrix products for compiled training steps: small ones, whose operands are in cache, on one thread.

A library call for 32 rows costs more in packing than it saves.  What decides here is the traffic between cache and
registers: a row of B is read for two rows of C and four steps of the sum at once, so that eight multiply-adds take four
loads of B, and two of C that are written back.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import REORDER, njit

ZERO = np.float32(0)


@njit(fastmath=REORDER)
def add_product(A, B, C):
    """C += A B; A (m, k) of any strides, B (k, n) and C (m, n) with contiguous rows; all float32."""
    m, k = A.shape
    n = B.shape[1]
    for i in range(0, m - 1, 2):
        C0, C1 = C[i], C[i + 1]
        for p in range(0, k - 3, 4):
            B0, B1, B2, B3 = B[p], B[p + 1], B[p + 2], B[p + 3]
            a0, a1, a2, a3 = A[i, p], A[i, p + 1], A[i, p + 2], A[i, p + 3]
            b0, b1, b2, b3 = A[i + 1, p], A[i + 1, p + 1], A[i + 1, p + 2], A[i + 1, p + 3]
            for j in range(n):
                C0[j] += a0 * B0[j] + a1 * B1[j] + a2 * B2[j] + a3 * B3[j]
                C1[j] += b0 * B0[j] + b1 * B1[j] + b2 * B2[j] + b3 * B3[j]
        for p in range(k - k % 4, k):
            for j in range(n):
                C0[j] += A[i, p] * B[p, j]
                C1[j] += A[i + 1, p] * B[p, j]
    if m % 2:
        for p in range(k):
            for j in range(n):
                C[m - 1, j] += A[m - 1, p] * B[p, j]


@njit(fastmath=REORDER)
def add_dots(A, B, C):
    """$C \\mathrel{+}= A B^T$: A (m, k), B (n, k), C (m, n), all float32 with contiguous rows."""
    m, k = A.shape
    n = B.shape[0]
    for i in range(m):
        a = A[i]
        for j in range(0, n - 3, 4):
            B0, B1, B2, B3 = B[j], B[j + 1], B[j + 2], B[j + 3]
            s0 = s1 = s2 = s3 = ZERO
            for p in range(k):
                s0 += a[p] * B0[p]
                s1 += a[p] * B1[p]
                s2 += a[p] * B2[p]
                s3 += a[p] * B3[p]
            C[i, j] += s0
            C[i, j + 1] += s1
            C[i, j + 2] += s2
            C[i, j + 3] += s3
        for j in range(n - n % 4, n):
            for p in range(k):
                C[i, j] += a[p] * B[j, p]
