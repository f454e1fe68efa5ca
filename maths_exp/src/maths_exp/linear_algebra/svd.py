"""SVD: what a matrix does, direction by direction, and the few directions that matter.

Problem   $A = U \\Sigma V^T$; A is m x n; wanted are the k largest singular values and their vectors, such that
          $\\|A - U_k \\Sigma_k V_k^T\\|_F$ is at most $1 + \\epsilon$ times the least that rank k allows.
Idea      Turn pairs of columns until all are orthogonal: their lengths are the singular values (Jacobi).  Or make A
          bidiagonal by reflections and chase what is above the diagonal away (Golub-Kahan, LAPACK).  If only k of many
          are wanted, A times a few random vectors already spans nearly the right space; a few more products with A and
          $A^T$ do the rest.
Look for  On graded, all digits of the smallest singular value by Jacobi, none by bidiagonalisation: reflections mix
          columns of all lengths, rotations of two do not (watch the column of digits).  For k of n, all random methods
          are run until their error is within the excess that was asked for, and no further: Krylov's space keeps what
          power iterations forget, and blocks of eight columns give it a high degree for few products.  Both products
          of a block in one reading of A save half of the traffic, which counts where A does not fit into the cache.
          Why the library wins where all of the values are wanted (square, graded, repeated): Jacobi's sweeps cost
          several times the work of gesdd, whose products of matrices run near the peak; LAPACK's own Jacobi (gejsv),
          which a QR factorisation leaves few sweeps to do, is slower than gesdd too.
Source    J. Demmel, K. Veselic, Jacobi's method is more accurate than QR, SIAM J. Matrix Anal. Appl. 13 (1992),
          doi:10.1137/0613074.
          G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed. (2013), sections 8.6 and 10.4.
          N. Halko, P. G. Martinsson, J. A. Tropp, Finding structure with randomness, SIAM Review 53 (2011), 217-288,
          doi:10.1137/090771806.
"""

from __future__ import annotations

import math

import numpy as np

from exp_core import Experiment, Implementation, Problem
from maths_exp.linear_algebra import _svd_costs as costs
from maths_exp.linear_algebra._svd_golub_kahan import golub_kahan
from maths_exp.linear_algebra._svd_jacobi import jacobi_compiled, jacobi_rounds
from maths_exp.linear_algebra._svd_krylov import block_krylov, krylov_compiled
from maths_exp.linear_algebra._svd_laws import LAWS, digits, leading, singular_values
from maths_exp.linear_algebra._svd_picture import picture
from maths_exp.linear_algebra._svd_problems import decaying, graded, photograph, repeated, square
from maths_exp.linear_algebra._svd_randomised import (
    fewest,
    not_small,
    randomised,
    scikit_randomised,
    svd_dask,
)


def one_sided_jacobi(A, k):
    """Turn each pair of columns until it is orthogonal, again and again: A V = U Sigma, column by column."""
    if A.shape[0] < A.shape[1]:
        U, s, Vt = one_sided_jacobi(A.T, k)
        return Vt.T, s, U.T
    W, V = A.copy(), np.eye(A.shape[1], dtype=A.dtype)
    n, turned = A.shape[1], True
    close = A.shape[0] ** 0.5 * np.spacing(A.dtype.type(1))
    while turned:
        turned = False
        for i in range(n):
            for j in range(i + 1, n):
                a, b, p = W[:, i] @ W[:, i], W[:, j] @ W[:, j], W[:, i] @ W[:, j]
                if abs(p) <= close * np.sqrt(a) * np.sqrt(b):
                    continue
                turned = True
                zeta = (b - a) / (2 * p)
                t = math.copysign(1, zeta) / (abs(zeta) + math.hypot(1, zeta))  # the smaller angle
                c = 1 / math.hypot(1, t)
                for X in (W, V):
                    X[:, i], X[:, j] = c * (X[:, i] - t * X[:, j]), c * (t * X[:, i] + X[:, j])
    return leading(W, V, k)


def lapack_gesdd(A, k):
    """SciPy's svd, LAPACK's gesdd: bidiagonal form by blocks of reflections, divide and conquer, all of it; then k."""
    from scipy.linalg import svd

    U, s, Vt = svd(A, full_matrices=False, check_finite=False, lapack_driver="gesdd")
    return U[:, :k], s[:k], Vt[:k]


def lapack_gejsv(A, k):
    """LAPACK's own Jacobi, after a QR factorisation with pivoting (Drmac and Veselic 2008): slower, and accurate."""
    from scipy.linalg.lapack import get_lapack_funcs

    if A.shape[0] < A.shape[1]:
        U, s, Vt = lapack_gejsv(A.T, k)
        return Vt.T, s, U.T
    sva, U, V, scale, _, _ = get_lapack_funcs("gejsv", (A,))(A, joba=0)
    return U[:, :k], (sva * (scale[0] / scale[1]))[:k], V[:, :k].T


def values_and_vectors(A, k, excess):
    """What those are given that find the same answer however much is asked for."""
    return A, k


def row(function, rung, cost, **more):
    """An implementation: the laws are scaled by their own derived bounds, so that 1 is the limit for all."""
    return Implementation(function, rung, cost=cost, bound=dict.fromkeys(LAWS, lambda *inputs: 1.0), **more)


def sample(function, rung, cost, **more):
    """A randomised implementation, with as few power iterations as the error asked for allows; found beforehand."""
    return row(function, rung, cost(fewest(function)), prepare=fewest(function), skip=not_small, counted=True, **more)


FULL = {"prepare": values_and_vectors}
SMALL = {"rows": 30, "cols": 20, "rank": 3}
AWKWARD = ({"rows": 1, "cols": 1, "rank": 1}, {"rows": 17, "cols": 37, "rank": 2}, {"rows": 53, "cols": 1, "rank": 1})

EXPERIMENT = Experiment(
    problems=(
        Problem(decaying, small=SMALL, awkward=AWKWARD),
        Problem(square, small={"n": 11}, awkward=({"n": 1}, {"n": 2})),
        Problem(graded, kind="hard", small={"n": 10}, awkward=({"n": 1}, {"n": 13})),
        Problem(repeated, kind="hard", small={"n": 10}, awkward=({"n": 1}, {"n": 5})),
        Problem(photograph, kind="real", small={"every": 24, "rank": 4}, thins=("every",), requires=("sklearn", "PIL")),
    ),
    oracle=singular_values,
    laws=LAWS,
    figures={"digits of the least": digits},
    implementations=(
        row(one_sided_jacobi, "textbook", costs.jacobi, **FULL),
        row(golub_kahan, "textbook", costs.bidiagonal, **FULL),
        row(jacobi_rounds, "vectorised", costs.jacobi, **FULL),
        sample(randomised, "vectorised", costs.power),
        sample(block_krylov, "vectorised", costs.krylov(readings=2)),
        row(jacobi_compiled, "compiled", costs.preconditioned, **FULL),
        sample(krylov_compiled, "compiled", costs.krylov(readings=1)),
        sample(svd_dask, "distributed", costs.power, requires=("dask",)),
        row(lapack_gesdd, "library", costs.lapack, **FULL),
        row(lapack_gejsv, "library", costs.preconditioned, **FULL),
        sample(scikit_randomised, "library", costs.power, requires=("sklearn",)),
    ),
    picture=picture,
)
