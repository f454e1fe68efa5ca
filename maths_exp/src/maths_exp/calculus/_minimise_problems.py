"""Valleys, a parabola, the collection, and atoms."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from maths_exp.calculus._minimise_collection import COLLECTION, Task
from maths_exp.calculus._minimise_objectives import lennard_jones, quadratic, rosenbrock

ALL = len(COLLECTION)
Tolerance = Annotated[float, "largest component of the gradient"]


def possible(tolerance):
    """The tolerance.  Raises ValueError for one that means nothing, or less than rounding."""
    if not 1e-9 <= tolerance < 1:
        raise ValueError(f"a tolerance lies from 1e-9, where rounding begins, to 1; {tolerance:g} does not")
    return tolerance


def valley(n: Annotated[int, "variables, an even number"] = 10, tolerance: Tolerance = 1e-6, *, dtype, rng):
    """Rosenbrock's valley, one for each pair of variables."""
    if n % 2:
        raise ValueError(f"n = {n} is odd, and each valley takes two variables: try {n + 1}")
    return (Task(rosenbrock, (-1.2, 1.0) * (n // 2)),), possible(tolerance)


def ill_conditioned(n: Annotated[int, "variables"] = 20, tolerance: Tolerance = 1e-6, *, dtype, rng):
    """A parabola ten thousand times as steep in one direction as in another."""
    return (Task(quadratic, (0.0,) * n),), possible(tolerance)


def collection(functions: Annotated[int, "the first so many"] = ALL, tolerance: Tolerance = 1e-6, *, dtype, rng):
    """The functions of Moré, Garbow and Hillstrom, from their standard starts."""
    if not 1 <= functions <= ALL:
        raise ValueError(f"the collection holds {ALL} functions, not {functions}: try --functions {ALL}")
    return COLLECTION[:functions], possible(tolerance)


def cluster(atoms: Annotated[int, "atoms, from 2"] = 7, tolerance: Tolerance = 1e-6, *, dtype, rng):
    """Atoms of a noble gas that pull and repel each other, from a disturbed lattice to a nearby minimum."""
    if atoms < 2:
        raise ValueError("one atom alone has no neighbour to find: try --atoms 2")
    side = math.ceil(atoms ** (1 / 3) - 1e-9)
    places = [(i, j, k) for i in range(side) for j in range(side) for k in range(side)][:atoms]
    start = 1.15 * np.array(places, float) + rng.uniform(-0.1, 0.1, (atoms, 3))
    return (Task(lennard_jones, tuple(start.ravel().tolist()), ()),), possible(tolerance)
