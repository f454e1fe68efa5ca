"""QR factorisation: an orthonormal basis for the columns of a matrix, and what each way of finding it loses.

Problem   $A = QR$; A is m x n with $m \\ge n$, Q is m x n with $Q^T Q = I$, R is n x n and upper triangular.
Idea      Take out of each column its part along those before it (Gram-Schmidt: triangular matrices make A orthogonal),
          or turn and mirror A until it is triangular (Givens, Householder: orthogonal matrices make A triangular).  A
          product of reflections is orthogonal whatever A is; what Gram-Schmidt leaves depends on its condition number
          $\\kappa$, the largest over the smallest singular value.
Look for  All have $A = QR$ to the last digits, even those whose Q is far from orthogonal.  Hilbert's matrix splits the
          field: classical Gram-Schmidt and CholeskyQR lose $\\kappa^2 u$, modified $\\kappa u$, Householder nothing.
          A tall matrix costs what it is read: CholeskyQR reads A twice, LAPACK once for each few columns.
          Why the library wins where A is one block (diabetes, 442 rows of 10): there is nothing for a second thread,
          10 columns are padded to 12 and cost as much, and the block is copied to its tile and back.
Source    N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), doi:10.1137/1.9780898718027,
          chapter 19.
          G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed. (2013), section 5.2.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from exp_core import Experiment, Implementation, Problem, Skip
from maths_exp.linear_algebra import _qr_bounds as bounds
from maths_exp.linear_algebra._qr_blocks import (
    blocked_householder,
    cholesky_qr2,
    fortran,
    lapack,
    length,
    modified_gram_schmidt_rows,
    numpy_qr,
    reflector,
)
from maths_exp.linear_algebra._qr_cholesky import cholesky_qr_adaptive
from maths_exp.linear_algebra._qr_costs import adaptive, cost, gram_and_solve, projections, reflections, rotations, tree
from maths_exp.linear_algebra._qr_picture import picture
from maths_exp.linear_algebra._qr_tsqr import dask_rows, tsqr, tsqr_dask


def classical_gram_schmidt(A):
    """Take from each column its parts along the q so far, all measured on the column as it was given."""
    n = A.shape[1]
    Q, R = np.zeros_like(A), np.zeros((n, n), A.dtype)
    for j in range(n):
        w = A[:, j].copy()
        for k in range(j):
            R[k, j] = Q[:, k] @ A[:, j]
            w -= Q[:, k] * R[k, j]
        R[j, j] = length(w)
        Q[:, j] = w / R[j, j]
    return Q, R


def modified_gram_schmidt(A):
    """Measure each part on what is left of the column: w in the place of A[:, j], and nothing else is changed."""
    n = A.shape[1]
    Q, R = np.zeros_like(A), np.zeros((n, n), A.dtype)
    for j in range(n):
        w = A[:, j].copy()
        for k in range(j):
            R[k, j] = Q[:, k] @ w
            w -= Q[:, k] * R[k, j]
        R[j, j] = length(w)
        Q[:, j] = w / R[j, j]
    return Q, R


def householder(A):
    r"""Mirror each column onto its axis: n reflections $I - \tau v v^T$ make A triangular, and the identity Q."""
    m, n = A.shape
    R, reflectors = A.copy(), []
    for k in range(n):
        v, tau, _ = reflector(R[k:, k])
        for j in range(k, n):
            R[k:, j] -= v * (tau * (v @ R[k:, j]))
        R[k + 1 :, k] = 0
        reflectors.append((v, tau))
    Q = np.eye(m, n, dtype=A.dtype)
    for k in reversed(range(n)):  # backwards: the columns before k are still those of I, and v does not meet them
        v, tau = reflectors[k]
        for j in range(k, n):
            Q[k:, j] -= v * (tau * (v @ Q[k:, j]))
    return Q, R[:n]


def givens(A):
    """Turn two neighbouring rows until one entry is zero, from the bottom up: a reflection would not spare zeros."""
    m, n = A.shape
    R, turns = A.copy(), []
    for j in range(n):
        for i in range(m - 1, j, -1):
            if R[i, j] == 0:
                continue
            r = math.hypot(R[i - 1, j], R[i, j])
            c, s = R[i - 1, j] / r, R[i, j] / r
            G = np.array([[c, s], [-s, c]], A.dtype)
            R[i - 1 : i + 1, j:] = G @ R[i - 1 : i + 1, j:]
            R[i, j] = 0
            turns.append((i, G))
    Q = np.eye(m, n, dtype=A.dtype)
    for i, G in reversed(turns):
        Q[i - 1 : i + 1] = G.T @ Q[i - 1 : i + 1]
    return Q, R[:n]


def gaussian(
    rows: Annotated[int, "rows m"] = 100_000, cols: Annotated[int, "columns n, at most m"] = 32, *, dtype, rng
):
    """Normal random numbers: columns nearly at right angles if there are many more rows than columns."""
    return (rng.standard_normal((rows, cols)).astype(dtype),)


def conditioned(
    rows: Annotated[int, "rows m"] = 100_000,
    cols: Annotated[int, "columns n, at most m"] = 32,
    condition: Annotated[float, "condition number"] = 100.0,
    *,
    dtype,
    rng,
):
    """Singular values in equal steps on a logarithmic scale, down to 1 / condition."""
    rank = min(rows, cols)
    U = np.linalg.qr(rng.standard_normal((rows, rank)))[0]
    V = np.linalg.qr(rng.standard_normal((cols, rank)))[0]
    return ((U * np.geomspace(1, 1 / condition, rank) @ V.T).astype(dtype),)


def hilbert(rows: Annotated[int, "rows m"] = 20_000, cols: Annotated[int, "columns n, at most m"] = 32, *, dtype, rng):
    """1 / (i + j + 1): its columns are so nearly parallel that from a dozen on no digit of the angle is left."""
    return ((1 / (np.arange(rows)[:, None] + np.arange(cols) + 1)).astype(dtype),)


def diabetes(patients: Annotated[int, "patients, at most 442"] = 442, *, dtype, rng):
    """Ten measurements of each patient, in units as they were taken, and a column of ones: the design of a fit."""
    from sklearn.datasets import load_diabetes

    data = load_diabetes(scaled=False).data[:patients]
    return (np.column_stack([np.ones(len(data)), data]).astype(dtype),)


def tall_only(A):
    """A has to have as many rows as columns, or more."""
    m, n = A.shape
    return None if m >= n else Skip(f"A is wide, {m} x {n}: the thin QR is for m >= n", "choose rows >= cols")


def row(function, rung, how_much, laws, **more):
    """An implementation for tall matrices."""
    return Implementation(function, rung, cost=how_much, bound=laws, skip=tall_only, **more)


def lost(power):
    """Where orthogonality is lost, and why."""
    why = f"its Q is off by kappa^{power} u (Higham 2002, chapter 19; Yamamoto 2015), and kappa is too large here"
    return dict.fromkeys(("conditioned", "hilbert", "diabetes"), why)


AWKWARD = ({"rows": 1, "cols": 1}, {"rows": 7, "cols": 1}, {"rows": 17, "cols": 13}, {"rows": 1031, "cols": 31})

EXPERIMENT = Experiment(
    problems=(
        Problem(gaussian, small={"rows": 60, "cols": 12}, awkward=AWKWARD),
        Problem(conditioned, small={"rows": 60, "cols": 12}, awkward=AWKWARD),
        Problem(hilbert, kind="hard", small={"rows": 40, "cols": 14}, awkward=AWKWARD),
        Problem(diabetes, kind="real", small={"patients": 100}, requires=("sklearn",)),
    ),
    laws={"factorisation": bounds.factorisation, "orthogonality": bounds.orthogonality},
    implementations=(
        row(classical_gram_schmidt, "textbook", cost(projections), bounds.CLASSICAL, unstable=lost(2)),
        row(modified_gram_schmidt, "textbook", cost(projections), bounds.MODIFIED, unstable=lost(1)),
        row(householder, "textbook", cost(reflections, copies=3), bounds.HOUSEHOLDER),
        row(givens, "textbook", cost(rotations, copies=30), bounds.GIVENS),
        row(modified_gram_schmidt_rows, "vectorised", cost(projections, copies=2), bounds.MODIFIED, unstable=lost(1)),
        row(blocked_householder, "vectorised", cost(reflections, copies=4), bounds.BLOCKED),
        row(cholesky_qr2, "vectorised", cost(gram_and_solve(2), copies=3, moved=6), bounds.CHOLESKY, unstable=lost(2)),
        row(tsqr, "compiled", cost(tree, copies=2.5, moved=4), bounds.TREE, prepare=fortran),
        row(cholesky_qr_adaptive, "compiled", adaptive, bounds.ADAPTIVE, prepare=fortran),
        row(tsqr_dask, "distributed", cost(tree, copies=3, moved=4), bounds.DASK, prepare=dask_rows, arrays="dask"),
        row(lapack, "library", cost(reflections), bounds.BLOCKED, prepare=fortran),
        row(numpy_qr, "library", cost(reflections, copies=3), bounds.BLOCKED),
    ),
    picture=picture,
)
