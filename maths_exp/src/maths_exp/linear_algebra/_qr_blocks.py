"""QR with array operations: the same reflectors and projections, a matrix at a time instead of a column at a time."""

from __future__ import annotations

import numpy as np

BLOCK = 16  # columns of a panel


def length(x):
    """The 2-norm of x, scaled by a power of two, which rounds nothing: the squares neither overflow nor vanish."""
    big = np.max(np.abs(x))
    if not 0 < big < np.inf:
        return big
    exponent = np.frexp(big)[1]
    return np.ldexp(np.linalg.norm(np.ldexp(x, -exponent)), exponent)


def reflector(x):
    """v (with v_0 = 1), tau and beta such that (I - tau v v^T) x = beta e_0.

    beta has the sign opposite to x_0: x_0 - beta with equal signs would cancel.  A zero x needs no reflection: tau = 0.
    Source: Higham (2002), section 19.1; the scaling of v is LAPACK's.
    """
    sigma = length(x)
    beta = -sigma if x[0] >= 0 else sigma
    v = x / (x[0] - beta) if sigma != 0 else np.zeros_like(x)
    v[0] = 1
    return v, (beta - x[0]) / beta if sigma != 0 else sigma, beta


def modified_gram_schmidt_rows(A):
    """Once $q_k$ is known, take its part out of all later columns at once, as an outer product: R row by row."""
    Q = A.copy()
    n = A.shape[1]
    R = np.zeros((n, n), A.dtype)
    for k in range(n):
        R[k, k] = length(Q[:, k])
        Q[:, k] /= R[k, k]
        R[k, k + 1 :] = Q[:, k] @ Q[:, k + 1 :]
        Q[:, k + 1 :] -= np.outer(Q[:, k], R[k, k + 1 :])
    return Q, R


def blocked_householder(A):
    """A panel of reflectors becomes one matrix, $I - V T V^T$: nearly all of the work is then products of matrices."""
    m, n = A.shape
    A = np.array(A, order="F")
    panels = []
    for j in range(0, n, BLOCK):
        end = min(j + BLOCK, n)
        V = np.zeros((m - j, end - j), A.dtype)
        T = np.zeros((end - j, end - j), A.dtype)
        for c in range(end - j):
            V[c:, c], tau, beta = reflector(A[j + c :, j + c])
            A[j + c, j + c], A[j + c + 1 :, j + c] = beta, 0
            rest = A[j + c :, j + c + 1 : end]
            rest -= np.outer(tau * V[c:, c], V[c:, c] @ rest)
            T[:c, c] = -tau * (T[:c, :c] @ (V[:, :c].T @ V[:, c]))  # Schreiber, Van Loan (1989)
            T[c, c] = tau
        A[j:, end:] -= V @ (T.T @ (V.T @ A[j:, end:]))
        panels.append((j, V, T))
    R = np.triu(A[:n])
    Q = np.eye(m, n, dtype=A.dtype)
    for j, V, T in reversed(panels):  # columns before j are still those of I, and zero below
        Q[j:, j:] -= V @ (T @ (V.T @ Q[j:, j:]))
    return Q, R


def cholesky_qr(A):
    """Q = A R^-1, where R is the Cholesky factor of A^T A; not numbers, where that has no Cholesky factor any more."""
    from scipy.linalg.blas import get_blas_funcs

    n = A.shape[1]
    try:
        R = np.linalg.cholesky(A.T @ A).T
    except np.linalg.LinAlgError:
        return np.full_like(A, np.nan), np.full((n, n), np.nan, A.dtype)
    trsm = get_blas_funcs("trsm", (A,))
    return trsm(A.dtype.type(1), R, A, side=1), R


def cholesky_qr2(A):
    r"""Two products, two triangular solves: $\kappa^2 u$ of orthogonality is lost, and won back by a second round."""
    Q, first = cholesky_qr(A)
    Q, second = cholesky_qr(Q)
    return Q, second @ first


def lapack(A):
    """LAPACK's geqrf and orgqr on Fortran order, workspace as they ask: Householder in blocks.

    geqrf works in place, and A must stay what it was: its wrapper's copy of A (3% of the time) is part of the work.
    """
    from scipy.linalg.lapack import get_lapack_funcs

    m, n = A.shape
    geqrf, orgqr, query = get_lapack_funcs(("geqrf", "orgqr", "geqrf_lwork"), (A,))
    work = max(1, int(query(m, n)[0]))
    factors, tau, _, _ = geqrf(A, lwork=work)
    R = np.triu(factors[:n])
    Q, _, _ = orgqr(factors, tau, lwork=work, overwrite_a=True)
    return Q, R


def numpy_qr(A):
    """np.linalg.qr, as most would call it: the same LAPACK, and copies from C order and back."""
    Q, R = np.linalg.qr(A)
    return Q, R


def fortran(A):
    """A in Fortran order: each column contiguous."""
    return (np.asfortranarray(A),)
