"""Grids whose matrices are known by heart: Poisson's in two and three dimensions, and one in unfortunate units."""

from __future__ import annotations

from typing import Annotated

import numpy as np


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
    r"""A square grid, five entries a row: $\kappa$ is about $(2\,\text{side}/\pi)^2$, the steps grow like the side."""
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
    r"""Poisson's matrix between two diagonals of units: $\kappa$ grows by up to $\text{spread}^2$, by units alone."""
    from scipy.sparse import diags_array

    S = diags_array([rng.permutation(np.geomspace(1, spread, side * side))], offsets=[0])
    return system((S @ laplacian(side, 2) @ S).tocsr().sorted_indices(), dtype, tolerance, rng)
