"""Block Krylov with narrow blocks: the best polynomial in $A^T A$ that a given number of products can buy.

$[X, A^T A X, (A^T A)^2 X, \\ldots]$ holds for every direction every polynomial up to the degree reached, where power
iterations hold the highest power alone.  Of two such spaces of the same dimension the one with narrower blocks has the
higher degree, and is nearer; with blocks of one column it is Lanczos' method, which reads all of A for each.  Eight
columns are what the arithmetic of one reading hides.

Both products of a block can be made in one reading: four rows of A times X give four numbers a column, and these four
times the same rows, still in cache, what they add to $A^T A X$.  Two products with BLAS read A twice.

Source    C. Musco, C. Musco, Randomized block Krylov methods for stronger and faster approximate SVD, NIPS 28 (2015).
          G. H. Golub, F. T. Luk, M. L. Overton, A block Lanczos method for computing the singular values and
          corresponding singular vectors of a matrix, ACM Trans. Math. Softw. 7 (1981), 149-169.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit, prange
from maths_exp.linear_algebra._qr_cholesky import cholesky_qr_adaptive
from maths_exp.linear_algebra._qr_tiles import add_dots, subtract
from maths_exp.linear_algebra._qr_tsqr import norm, reflect

BLOCK = 8  # columns of a block, a multiple of four
OVERSAMPLES = 10  # vectors more than k: HMT (2011), section 4.2, find 5 or 10 enough
PARTS, ROWS = 64, 256  # shares of the rows for the threads, and rows of a share at the least: whatever the threads


def dimension(A, k, q):
    """Of the space: the fewest blocks that hold k + 10 columns, and q more; all of the rows or columns at the most."""
    return min(*A.shape, (-(-(k + OVERSAMPLES) // BLOCK) + q) * BLOCK)


def block_krylov(A, k, q):
    """Keep every block on the way, not only the last; in blocks of eight columns, of which more are made."""
    return krylov(A, k, q, two_products, at_right_angles, np.linalg.qr)


def krylov_compiled(A, k, q):
    """Both products of a block in one reading of A, in threads; between readings no BLAS, whose threads would wait."""
    compiled = one_reading, at_right_angles_compiled, cholesky_qr_adaptive
    if A.flags.c_contiguous:
        return krylov(A, k, q, *compiled)
    U, s, Vt = krylov(np.ascontiguousarray(A.T), k, q, *compiled)
    return Vt.T, s, U.T


def krylov(A, k, q, products, right_angles, tall_qr):
    """k triplets of what A is on the space; products(A, X) are X A^T and X A^T A, or a multiple of it.

    All is kept transposed: a row of V is a direction, a row of Z its image.  right_angles(X, V) makes the rows of X
    orthonormal, and orthogonal to those of V.
    """
    V = np.empty((dimension(A, k, q), A.shape[1]), A.dtype)
    Z = np.empty((len(V), A.shape[0]), A.dtype)
    limits = np.finfo(A.dtype)
    X = np.random.default_rng(0).standard_normal((BLOCK, min(A.shape))).astype(A.dtype)
    if A.shape[0] < A.shape[1]:  # directions of which A knows nothing would take up room: begin with what A makes
        X = X @ A
    for first in range(0, len(V), BLOCK):
        X = V[first : first + BLOCK] = right_angles(X[: len(V) - first], V[:first])
        Z[first : first + BLOCK], X = products(A, X)
        largest = np.max(np.abs(X))
        if first == 0 and not limits.tiny / limits.eps < largest < np.inf:  # squares of A's entries do not fit
            scale = np.max(np.abs(A))
            if 0 < scale < np.inf and scale != 1:
                U, s, Vt = krylov(A / scale, k, q, products, right_angles, tall_qr)
                return U, s * scale, Vt
    if np.linalg.norm(V @ V.T - np.eye(len(V))) > A.shape[1] * limits.eps:  # farther off than inner products round
        V = np.linalg.qr(V.T)[0].T  # a block was nothing but rounding, and not at right angles to the others
        Z = V @ A.T
    Q, R = tall_qr(Z.T)
    U, s, Wt = np.linalg.svd(R)
    return Q @ U[:, :k], s[:k], Wt[:k] @ V


def two_products(A, X):
    """By BLAS, one after the other."""
    Z = X @ A.T
    return Z, Z @ A


def at_right_angles(X, V):
    """Block Gram-Schmidt, and a QR factorisation; twice, which is enough (Kahan, Parlett)."""
    for _ in range(2):
        X = X - X @ V.T @ V
        X = np.linalg.qr(X.T)[0].T
    return X


def at_right_angles_compiled(X, V):
    """The same, with Gram and Schmidt's method in the block as well."""
    padded = with_zeros(X)
    orthonormalise(padded, V)
    return padded[: len(X)]


def with_zeros(X):
    """A copy with rows of zeros, so that their number is a multiple of four."""
    padded = np.zeros((-(-len(X) // 4) * 4, X.shape[1]), X.dtype)
    padded[: len(X)] = X
    return padded


def one_reading(A, X):
    """In threads; A in C order.  The second product comes out negative: the space is the same."""
    m, padded = len(A), with_zeros(X)
    Z = np.empty((len(padded), m), A.dtype)
    Y = np.zeros((min(PARTS, 1 + m // ROWS), *padded.shape), A.dtype)
    read(A, padded, Z, Y)
    return Z[: len(X)], Y.sum(axis=0)[: len(X)]


@njit
def orthonormalise(X, V):
    """The rows of X, in place: orthogonal to those of V, whose number is a multiple of four too, and to each other."""
    W = np.empty((len(V), len(X)), X.dtype)
    for _ in range(2):
        W[:] = 0
        for j in range(0, len(X), 4):
            for k in range(0, len(V), 4):
                add_dots(V, k, X, j, X.shape[1], W)
            for k in range(0, len(V), 4):
                subtract(V, k, X, j, X.shape[1], W)
        for i in range(len(X)):
            for k in range(i):
                reflect(X[k], X.dtype.type(1), X[i])  # minus its part along a row of length 1
            length = norm(X[i])
            if length > 0:
                X[i] /= length


@njit
def read_part(A, X, first, end, Z, Y):
    """Rows first...end of A: their columns of Z = X A^T, and what they take from Y, Z A."""
    last = np.zeros((4, A.shape[1]), A.dtype)
    z = np.empty((4, X.shape[0]), A.dtype)
    for i in range(first, end, 4):
        rows = A[i : i + 4]
        if i + 4 > end:
            last[: end - i] = A[i:end]
            rows = last
        z[:] = 0
        for c in range(0, X.shape[0], 4):
            add_dots(rows, 0, X, c, A.shape[1], z)
        for c in range(0, X.shape[0], 4):
            subtract(rows, 0, Y, c, A.shape[1], z)
        for r in range(min(4, end - i)):
            for c in range(X.shape[0]):
                Z[c, i + r] = z[r, c]


@njit(parallel=True)
def read(A, X, Z, Y):
    """One reading of A: Z = X A^T, and minus Z A as the sum over the shares of the rows."""
    m, parts = A.shape[0], Y.shape[0]
    for p in prange(parts):
        read_part(A, X, m * p // parts, m * (p + 1) // parts, Z, Y[p])
