"""Conjugate gradients: a large sparse system solved by nothing but products with its matrix.

Problem   $Ax = b$; A is n x n, symmetric, positive definite, in compressed rows; stop at $\\|r\\| \\le \\tau \\|b\\|$.
Idea      Go downhill on $x^T A x / 2 - b^T x$, each direction A-orthogonal to all before it: after k products the
          error is the least that any polynomial of degree k in A can make it.  The condition number $\\kappa$ sets the
          pace, $((\\sqrt\\kappa - 1) / (\\sqrt\\kappa + 1))^k$; a preconditioner changes $\\kappa$, not the answer.
Look for  Diagonals instead of column numbers make the same steps clearly faster than SciPy's.  Fused passes over rows
          need threads to win: on one, in cache, SciPy's product is as fast.  IC(0) takes a third of the steps and
          is slower than the plain diagonals: its triangular solves are one long chain.  On mixed-units Jacobi's
          division by the diagonal saves most of the steps.
Source    Y. Saad, Iterative Methods for Sparse Linear Systems, 2nd ed. (2003), chapters 6, 9 and 10.
          A. Greenbaum, Estimating the attainable accuracy of recursively computed residual methods (1997).
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from exp_core import Experiment, Implementation, Problem, Skip
from maths_exp.linear_algebra._conjugate_gradient_check import DENSE, DIAGONALS, FUSED, IC, JACOBI, PLAIN, residual
from maths_exp.linear_algebra._conjugate_gradient_compiled import cg_fused, cg_incomplete_cholesky
from maths_exp.linear_algebra._conjugate_gradient_diagonals import cg_diagonals, not_a_grid
from maths_exp.linear_algebra._conjugate_gradient_picture import picture

LIMIT = 10  # times n: with rounding it may take more than the n steps of exact arithmetic


def cg_dense(A, b, tolerance):
    """Hestenes and Stiefel's five lines, with all of A: alpha goes to the bottom along p, beta turns the next p."""
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


def laplacian(side, dimensions):
    """2d on the diagonal, -1 for each neighbour in a d-dimensional grid of that side; zero beyond its edges."""
    from scipy.sparse import csr_array, diags_array, eye_array, kron

    line = diags_array([-np.ones(side - 1), 2 * np.ones(side), -np.ones(side - 1)], offsets=[-1, 0, 1]).tocsr()
    A = line
    for _ in range(dimensions - 1):
        A = kron(A, eye_array(side)) + kron(eye_array(A.shape[0]), line)
    A = csr_array(A)
    A.eliminate_zeros()
    A.sort_indices()
    return A


def system(A, dtype, tolerance, rng):
    """The five inputs; a random b has a part along every eigenvector of A."""
    b = rng.standard_normal(A.shape[0]).astype(dtype)
    return A.data.astype(dtype), A.indices.astype(np.int32), A.indptr.astype(np.int32), b, tolerance


Side = Annotated[int, "points along a side"]
Tolerance = Annotated[float, "relative residual to stop at"]


def poisson_2d(side: Side = 256, tolerance: Tolerance = 1e-8, *, dtype, rng):
    """A square grid, five entries a row: kappa is about (2 side / pi)^2, the steps grow like the side."""
    return system(laplacian(side, 2), dtype, tolerance, rng)


def poisson_3d(side: Side = 40, tolerance: Tolerance = 1e-8, *, dtype, rng):
    """A cube, seven entries a row: side 100 has a million unknowns."""
    return system(laplacian(side, 3), dtype, tolerance, rng)


def mixed_units(
    side: Side = 64,
    spread: Annotated[float, "largest unit over the smallest"] = 30.0,
    tolerance: Tolerance = 1e-8,
    *,
    dtype,
    rng,
):
    """Poisson's matrix between two diagonals of units: kappa is worse by up to spread^2, and only by the units."""
    from scipy.sparse import diags_array

    S = diags_array([rng.permutation(np.geomspace(1, spread, side * side))], offsets=[0])
    return system((S @ laplacian(side, 2) @ S).tocsr().sorted_indices(), dtype, tolerance, rng)


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
    laws={"residual over its bound": residual},
    implementations=(
        row(cg_dense, "textbook", DENSE, prepare=as_dense, skip=not_too_dense),
        row(cg_rows, "textbook", PLAIN),
        row(cg_vectorised, "vectorised", JACOBI(scaled=False)),
        row(cg_jacobi, "vectorised", JACOBI(scaled=True)),
        row(cg_fused, "compiled", FUSED),
        row(cg_diagonals, "compiled", DIAGONALS, skip=not_a_grid),
        row(cg_incomplete_cholesky, "compiled", IC),
        row(scipy_cg, "library", PLAIN, prepare=as_scipy),
    ),
    picture=picture,
    figures={"steps": lambda result, *inputs: float(result[1])},
    dtypes=("float64",),
)
