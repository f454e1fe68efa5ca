"""Least squares: the coefficients that fit too many equations best, and how many of their digits survive.

Problem   Minimise $\\|b - Ax\\|_2$; A is m x n with $m \\ge n$ and independent columns.
Idea      The residual stands at right angles to all columns: $A^T A x = A^T b$.  Solving that squares the condition
          number; an orthogonal triangularisation $A = QR$ does not: $Rx = Q^T b$.  Residuals of twice the precision,
          of the equations and of $A^T r = 0$ at once, bring back even the digits that QR loses.
Look for  The column of right digits on filip and on the five Wampler sets, certified by NIST.  QR loses as many as
          $\\log_{10} \\kappa$ says; an SVD, np.linalg.lstsq's too, more where columns are of different sizes (pontius);
          the rounding of filip's data to one number each takes half of the digits alone.  `refined` takes data as two
          numbers each and keeps all digits.  It pays with a few passes over A: on gaussian, where nothing is to be
          saved, the library wins over it, and over the other rows here: one pass over A in LAPACK's blocks, where
          normal_equations fetches a line of the cache for each number.  With blocks they win: on gaussian $\\kappa$ is
          small, and half of the flops are saved at no loss.
          Why the library wins on filip: the normal equations fail there; an SVD takes nearly twice as long as gelsy's
          pivoted QR, and our QR comes to LAPACK by several of NumPy's calls, which for 82 rows of 11 numbers take
          longer than LAPACK does.
Source    N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), doi:10.1137/1.9780898718027,
          chapter 20.
          A. Bjorck, Numerical Methods for Least Squares Problems (1996), doi:10.1137/1.9781611971484, sections 2.9 and
          3.2.
          J. Demmel, Y. Hida, X. Li, E. J. Riedy, Extra-precise iterative refinement for overdetermined least squares
          problems, ACM Trans. Math. Software 35 (2009), 28.
"""

from __future__ import annotations

import numpy as np

from exp_core import Experiment, Implementation, Problem
from maths_exp.linear_algebra import _least_squares_costs as costs
from maths_exp.linear_algebra import _least_squares_laws as laws
from maths_exp.linear_algebra import _least_squares_problems as problems
from maths_exp.linear_algebra._least_squares_picture import picture
from maths_exp.linear_algebra._least_squares_refined import refined


def normal_equations(A, b):
    r"""Set up $A^T A x = A^T b$ and solve by Cholesky: $m n^2$ flops, half of any other's, and $\kappa$ squared."""
    n = A.shape[1]
    C, d = np.empty((n, n), A.dtype), np.empty(n, A.dtype)
    for j in range(n):
        d[j] = A[:, j] @ b
        for i in range(j + 1):
            C[i, j] = C[j, i] = A[:, i] @ A[:, j]
    for j in range(n):  # C = L L^T, and L y = d as one row more
        C[j, j] = np.sqrt(C[j, j] - C[j, :j] @ C[j, :j])
        for i in range(j + 1, n):
            C[i, j] = (C[i, j] - C[i, :j] @ C[j, :j]) / C[j, j]
        d[j] = (d[j] - C[j, :j] @ d[:j]) / C[j, j]
    for j in reversed(range(n)):
        d[j] = (d[j] - C[j + 1 :, j] @ d[j + 1 :]) / C[j, j]
    return d


def back_substitution(R, y):
    """x with R x = y, from the last row up."""
    x = y.copy()
    for j in reversed(range(len(y))):
        x[j] = (x[j] - R[j, j + 1 :] @ x[j + 1 :]) / R[j, j]
    return x


def householder(A, b):
    """Mirror each column onto its axis, and b along with them: $Rx = Q^T b$, with Q never formed."""
    n = A.shape[1]
    R, y = A.copy(), b.copy()
    for k in range(n):
        v = R[k:, k].copy()
        length = np.sqrt(v @ v)
        v[0] += length if v[0] >= 0 else -length  # no cancellation
        scale = 2 / (v @ v)
        for j in range(k, n):
            R[k:, j] -= v * (scale * (v @ R[k:, j]))
        y[k:] -= v * (scale * (v @ y[k:]))
    return back_substitution(R[:n], y[:n])


def givens_rows(A, b):
    """Row after row is turned into R and forgotten: $n^2$ numbers suffice, and an answer is ready after every row."""
    n = A.shape[1]
    R, y = np.zeros((n, n), A.dtype), np.zeros(n, A.dtype)
    for row, right in zip(A.copy(), b, strict=True):
        for j in range(n):
            if row[j] == 0:
                continue
            r = np.sqrt(R[j, j] * R[j, j] + row[j] * row[j])
            c, s = R[j, j] / r, row[j] / r
            R[j, j:], row[j:] = c * R[j, j:] + s * row[j:], c * row[j:] - s * R[j, j:]
            y[j], right = c * y[j] + s * right, c * right - s * y[j]
    return back_substitution(R, y)


def blas_normal_equations(A, b):
    """$A^T A$ by one product, in blocks that stay in the cache; the textbook's dots read columns a line a number."""
    from scipy.linalg.lapack import get_lapack_funcs

    _, x, broken = get_lapack_funcs("posv", (A,))(A.T @ A, A.T @ b)
    return np.full_like(x, np.nan) if broken else x  # kappa^2 u is above 1: a pivot is not positive


def numpy_qr(A, b):
    """Householder by LAPACK, in blocks; then one product and a triangular system."""
    from scipy.linalg import solve_triangular

    Q, R = np.linalg.qr(A)
    return solve_triangular(R, Q.T @ b, check_finite=False)


def numpy_svd(A, b):
    """By the singular values, which tell what is independent; six times the work, and small columns drown in large."""
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    return Vt.T @ ((U.T @ b) / s)


def numpy_lstsq(A, b):
    """np.linalg.lstsq: LAPACK's gelsd; rcond = 0, since by its default it would drop a direction of filip."""
    return np.linalg.lstsq(A, b, rcond=0)[0]


def scipy_gelsy(A, b):
    """scipy.linalg.lstsq with gelsy: QR with pivoting, whose rank is decided by the condition number of R."""
    from scipy.linalg import lstsq

    return lstsq(A, b, cond=0, lapack_driver="gelsy", check_finite=False)[0]


def rounded(A, b, A_low, b_low):
    """The data to the precision of their type: what the low parts add is lost."""
    return A, b


def row(function, rung, cost, bound, **more):
    """An implementation that takes the rounded data."""
    return Implementation(function, rung, cost=cost, bound=bound, prepare=rounded, **more)


SQUARED = dict.fromkeys(("polynomial", "filip"), "kappa^2 u is above 1 (Higham 2002, section 20.4)")
DROWNED = dict.fromkeys(
    ("filip", "pontius"), "kappa u is above 1, since columns of all sizes are rounded like the largest (theorem 20.1)"
)
SMALL = {"rows": 30, "cols": 4}
AWKWARD = ({"rows": 1, "cols": 1}, {"rows": 2, "cols": 2}, {"rows": 17, "cols": 1}, {"rows": 101, "cols": 7})

EXPERIMENT = Experiment(
    problems=(
        Problem(problems.gaussian, small=SMALL, awkward=AWKWARD),
        Problem(problems.polynomial, kind="hard", small={"rows": 40, "degree": 9}, awkward=({"rows": 7, "degree": 2},)),
        *(Problem(make, kind=kind, dtypes=("float64",)) for make, kind in problems.CERTIFIED),
    ),
    oracle=laws.exact_solution,
    laws={"error": laws.error},
    figures={"right digits": laws.right_digits},
    implementations=(
        row(normal_equations, "textbook", costs.normal, laws.normal_bound, unstable=SQUARED),
        row(householder, "textbook", costs.reflections, laws.column_bound),
        row(givens_rows, "textbook", costs.rotations, laws.rotations_bound),
        row(blas_normal_equations, "vectorised", costs.normal, laws.normal_bound, unstable=SQUARED),
        row(numpy_qr, "vectorised", costs.thin, laws.column_bound),
        row(numpy_svd, "vectorised", costs.singular, laws.norm_bound, unstable=DROWNED),
        Implementation(refined, "compiled", cost=costs.refined, bound=laws.refined_bound),
        row(numpy_lstsq, "library", costs.singular, laws.norm_bound, unstable=DROWNED),
        row(scipy_gelsy, "library", costs.thin, laws.column_bound),
    ),
    picture=picture,
)
