"""Conjugate gradients: a large sparse system solved by nothing but products with its matrix.

Problem   $Ax = b$; A is n x n, symmetric, positive definite, in compressed rows; stop at $\\|r\\| \\le \\tau \\|b\\|$.
Idea      Go downhill on $x^T A x / 2 - b^T x$, each direction A-orthogonal to all before it: after k products the
          error is the least that any polynomial of degree k in A can make it.  The condition number $\\kappa$ sets the
          pace, $((\\sqrt\\kappa - 1) / (\\sqrt\\kappa + 1))^k$; a preconditioner changes $\\kappa$, not the answer.
Look for  Steps times the price of a step. Diagonals instead of column numbers make the same steps cheaper; a chessboard
          halves their number at no price (watch the column of steps), and threads still help.  cg_stencil has both,
          a byte where A has a number, and one pass over its vectors a step.  IC(0) takes a third of the steps and is
          slower than none: a row of its triangular solves waits for the row before.  SSOR waits as long, but with the
          right $\\omega$ its steps grow only like the root of the side.  In the cache and on one thread SciPy's product
          is as fast as cg_fused: both read the same bytes.  On a plate of a million points (--side 1000) SciPy's 2916
          steps take 22.7 s, cg_fused's as many 9.8 s, cg_stencil's 1458 take 0.8 s, on two cores of an EPYC (Zen 5).
          On mixed-units Jacobi's division by the diagonal saves most of the steps.
Source    Y. Saad, Iterative Methods for Sparse Linear Systems, 2nd ed. (2003), doi:10.1137/1.9780898718003, chapters 6,
          9 and 10.
          A. Greenbaum, Estimating the attainable accuracy of recursively computed residual methods (1997),
          doi:10.1137/S0895479895284944.
"""

from __future__ import annotations

import numpy as np

from exp_core import Experiment, Implementation, Problem, Skip
from maths_exp.linear_algebra import _conjugate_gradient_check as check
from maths_exp.linear_algebra._conjugate_gradient_compiled import LIMIT, cg_fused
from maths_exp.linear_algebra._conjugate_gradient_dask import cg_dask, into_row_blocks
from maths_exp.linear_algebra._conjugate_gradient_diagonals import cg_diagonals, not_a_grid
from maths_exp.linear_algebra._conjugate_gradient_picture import picture
from maths_exp.linear_algebra._conjugate_gradient_preconditioned import cg_incomplete_cholesky, cg_ssor
from maths_exp.linear_algebra._conjugate_gradient_problems import mixed_units, poisson_2d, poisson_3d
from maths_exp.linear_algebra._conjugate_gradient_red_black import cg_red_black, not_two_coloured
from maths_exp.linear_algebra._conjugate_gradient_stencil import cg_stencil, not_a_stencil


def cg_dense(A, b, tolerance):
    r"""Hestenes and Stiefel's five lines, all of A: $\alpha$ goes to the bottom along p, $\beta$ turns the next p."""
    x, r, p = np.zeros_like(b), b.copy(), b.copy()
    rr, k = r @ r, 0
    enough = tolerance * tolerance * (b @ b)
    while rr > enough and k < LIMIT * len(b):
        Ap = A @ p
        alpha = rr / (p @ Ap)
        x = x + alpha * p
        r = r - alpha * Ap
        rr, before = r @ r, rr
        p = r + (rr / before) * p
        k += 1
    return x, k


def cg_rows(data, indices, indptr, b, tolerance):
    """The same with the entries that are not zero: row i has data[start:stop] in the columns indices[start:stop]."""
    x, r, p = np.zeros_like(b), b.copy(), b.copy()
    Ap = np.zeros_like(b)
    rr, k = r @ r, 0
    enough = tolerance * tolerance * (b @ b)
    while rr > enough and k < LIMIT * len(b):
        for i in range(len(b)):
            row = slice(indptr[i], indptr[i + 1])
            Ap[i] = data[row] @ p[indices[row]]
        alpha = rr / (p @ Ap)
        x = x + alpha * p
        r = r - alpha * Ap
        rr, before = r @ r, rr
        p = r + (rr / before) * p
        k += 1
    return x, k


def cg_vectorised(data, indices, indptr, b, tolerance):
    """All rows at once: gather, multiply, and add up the pieces between the row pointers."""
    return cg_scaled(data, indices, indptr, np.ones_like(b), b, tolerance)


def cg_jacobi(data, indices, indptr, b, tolerance):
    """Preconditioned by the diagonal of A: what the choice of units spoilt is mended by one division."""
    rows = np.repeat(np.arange(len(b)), np.diff(indptr))
    return cg_scaled(data, indices, indptr, 1 / data[rows == indices], b, tolerance)


def cg_scaled(data, indices, indptr, d, b, tolerance):
    """Preconditioned by a diagonal d: z = d r takes the place of r where directions are made (Saad, algorithm 9.1)."""
    x, r, z = np.zeros_like(b), b.copy(), d * b
    p, rz, k = z.copy(), r @ z, 0
    enough = tolerance * tolerance * (b @ b)
    while r @ r > enough and k < LIMIT * len(b):
        Ap = np.add.reduceat(data * p[indices], indptr[:-1])  # a row of A has its diagonal: none is empty
        alpha = rz / (p @ Ap)
        x += alpha * p
        r -= alpha * Ap
        z = d * r
        rz, before = r @ z, rz
        p = z + (rz / before) * p
        k += 1
    return x, k


def scipy_cg(A, b, tolerance):
    """SciPy's: the loop in Python, the product in C++ on one thread, dots and axpys in NumPy."""
    from scipy.sparse.linalg import cg

    steps = []
    x, _ = cg(A, b, rtol=tolerance, atol=0.0, callback=lambda _: steps.append(1))
    return x, len(steps)


def as_scipy(data, indices, indptr, b, tolerance):
    """A as SciPy's sparse array; the arrays are not copied."""
    from scipy.sparse import csr_array

    return csr_array((data, indices, indptr), shape=(b.size, b.size)), b, tolerance


def as_dense(data, indices, indptr, b, tolerance):
    """A with its zeros."""
    A, b, tolerance = as_scipy(data, indices, indptr, b, tolerance)
    return A.toarray(), b, tolerance


def not_too_dense(data, indices, indptr, b, tolerance):
    """With its zeros A has n^2 entries."""
    return None if b.size <= 4096 else Skip(f"A with its zeros is {b.size} x {b.size}", "choose --side 64 or less")


def row(function, rung, cost, **more):
    """An implementation: the law is scaled by its own derived bound, so that 1 is the limit for all."""
    return Implementation(function, rung, cost=cost, bound=lambda *inputs: 1.0, **more)


EXPERIMENT = Experiment(
    problems=(
        Problem(poisson_2d, small={"side": 9}, awkward=({"side": 1}, {"side": 2}, {"side": 31})),
        Problem(poisson_3d, small={"side": 5}, awkward=({"side": 1}, {"side": 11})),
        Problem(mixed_units, kind="hard", small={"side": 7}, awkward=({"side": 1}, {"side": 13})),
    ),
    laws={"residual over its bound": check.residual},
    implementations=(
        row(cg_dense, "textbook", check.DENSE, prepare=as_dense, skip=not_too_dense),
        row(cg_rows, "textbook", check.PLAIN),
        row(cg_vectorised, "vectorised", check.JACOBI(scaled=False)),
        row(cg_jacobi, "vectorised", check.JACOBI(scaled=True)),
        row(cg_fused, "compiled", check.FUSED),
        row(cg_diagonals, "compiled", check.DIAGONALS, skip=not_a_grid),
        row(cg_red_black, "compiled", check.RED_BLACK, skip=not_two_coloured),
        row(cg_stencil, "compiled", check.STENCIL, skip=not_a_stencil),
        row(cg_incomplete_cholesky, "compiled", check.TRIANGULAR("incomplete cholesky")),
        row(cg_ssor, "compiled", check.TRIANGULAR("ssor")),
        row(cg_dask, "distributed", check.PLAIN, prepare=into_row_blocks, requires=("dask",)),
        row(scipy_cg, "library", check.PLAIN, prepare=as_scipy),
    ),
    picture=picture,
    figures={"steps": lambda result, *inputs: float(result[1])},
    # In float32 the bound would say nothing: u kappa is 1e-3 at side 256, and the residual drifts as far as that.
    dtypes=("float64",),
)
