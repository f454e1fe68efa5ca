"""CholeskyQR on tiles: A^T A = R^T R, then Q = A R^-1, in two readings of A where its condition number allows it.

Idea      The Gram matrix is n x n however long the columns are: one reading of A makes it.  Its Cholesky factor is R,
          and Q = A R^-1 is a second reading.  Orthogonality is lost as $\\kappa^2 u$; done once more on Q, whose
          condition number is nearly 1, what was lost is won back (CholeskyQR2).  One round is enough if
          $\\kappa \\le 2$, two if the first one left $\\|Q^T Q - I\\| \\le 1/2$, and else it is TSQR: both numbers are
          measured, never assumed, so that the answer is right for every A.
Source    Y. Yamamoto, Y. Nakatsukasa, Y. Yanagisawa, T. Fukaya, Roundoff error analysis of the CholeskyQR2 algorithm,
          Electronic Transactions on Numerical Analysis 44 (2015), 306-326.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit, prange
from maths_exp.linear_algebra._qr_tiles import PAD, ROWS, add_gram, load, padded, solve_triangle, store
from maths_exp.linear_algebra._qr_tsqr import tsqr

PARTS = 64  # shares of the rows for the threads: fixed, so that the result does not depend on their number


@njit
def sweep_part(A, first, end, R, Q, G, solve, gram):
    """The rows first...end, tile by tile."""
    t = np.empty((G.shape[0], ROWS + PAD), A.dtype)
    while first < end:
        rows = min(ROWS, end - first)
        load(A, first, t, rows)
        if solve:
            solve_triangle(t, rows, R)
            store(t, rows, Q, first)
        if gram:
            add_gram(t, rows, G)
        first += rows


@njit(parallel=True)
def sweep(A, R, Q, G, solve, gram):
    """One reading of A's columns: solve for Q = A R^-1 if asked, and add up the Gram matrix of each part if asked."""
    m, parts = A.shape[1], G.shape[0]
    for p in prange(parts):
        sweep_part(A, m * p // parts, m * (p + 1) // parts, R, Q, G[p], solve, gram)


def pass_over(A, R=None, Q=None, *, gram=True):
    """Q = A R^-1 into Q if R is given; the Gram matrix of Q, or of A if R is not given.  A, Q in Fortran order."""
    m, n = A.shape
    wide = int(padded.py_func(n))
    G = np.zeros((min(PARTS, 1 + m // ROWS), wide, wide), A.dtype)
    padded_R = np.eye(wide, dtype=A.dtype)
    if R is not None:
        padded_R[:n, :n] = R
    sweep(A.T, padded_R, A.T if Q is None else Q.T, G, R is not None, gram)
    total = np.triu(G.sum(axis=0)[:n, :n])
    return total + np.triu(total, 1).T


def equilibrated(G):
    """G with rows and columns divided so that its diagonal is 1; None if a column is zero, too small or too large."""
    squares = np.diag(G)
    limits = np.finfo(G.dtype)
    if not np.all(np.isfinite(G)) or squares.min() < limits.tiny / limits.eps:
        return None
    d = np.sqrt(squares)
    return G / d / d[:, None]


def cholesky_qr_adaptive(A):
    """CholeskyQR on tiles and threads, a second round only if the condition number asks for it; TSQR if too large."""
    A = np.asfortranarray(A)
    G = pass_over(A)
    scaled = equilibrated(G)
    if scaled is None:
        return tsqr(A)
    squared = np.linalg.eigvalsh(scaled)  # singular values of A's scaled columns, squared, from the least
    Q = np.empty_like(A)
    try:
        R = np.linalg.cholesky(G).T
        if squared[-1] <= 4 * squared[0]:  # kappa <= 2
            pass_over(A, R, Q, gram=False)
            return Q, R
        G = pass_over(A, R, Q)
        if not np.linalg.norm(G - np.eye(len(G))) <= 0.5:  # also where it is not a number
            return tsqr(A)
        second = np.linalg.cholesky(G).T
    except np.linalg.LinAlgError:  # not positive definite: kappa^2 u reached 1
        return tsqr(A)
    pass_over(Q, second, Q, gram=False)
    return Q, second @ R
