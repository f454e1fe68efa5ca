"""The collection: each function with its standard start and the least values that are published for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from maths_exp.calculus import _minimise_fits as fits
from maths_exp.calculus import _minimise_linear as linear
from maths_exp.calculus import _minimise_objectives as functions
from maths_exp.calculus import _minimise_osborne as osborne
from maths_exp.calculus import _minimise_systems as systems


class Task(NamedTuple):
    """A function, where to start, and the least values known, one for each minimum."""

    f: Callable
    start: tuple[float, ...]
    least: tuple[float, ...] = (0.0,)


#    the function, its standard start, its least values in number order: the paper's six digits
COLLECTION = (
    Task(functions.rosenbrock, (-1.2, 1.0)),
    Task(functions.freudenstein_roth, (0.5, -2.0), (0.0, 48.9842)),
    Task(functions.powell_badly_scaled, (0.0, 1.0)),
    Task(functions.brown_badly_scaled, (1.0, 1.0)),
    Task(functions.beale, (1.0, 1.0)),
    Task(fits.jennrich_sampson, (0.3, 0.4), (124.362,)),
    Task(functions.helical_valley, (-1.0, 0.0, 0.0)),
    Task(fits.bard, (1.0, 1.0, 1.0), (8.21487e-3,)),
    Task(fits.gaussian, (0.4, 1.0, 0.0), (1.12793e-8,)),
    Task(fits.meyer, (0.02, 4000.0, 250.0), (87.9458,)),
    Task(fits.gulf, (5.0, 2.5, 0.15)),
    Task(fits.box, (0.0, 10.0, 20.0)),
    Task(functions.powell_singular, (3.0, -1.0, 0.0, 1.0)),
    Task(functions.wood, (-3.0, -1.0, -3.0, -1.0)),
    Task(fits.kowalik_osborne, (0.25, 0.39, 0.415, 0.39), (3.07505e-4,)),
    Task(fits.brown_dennis, (25.0, 5.0, -5.0, -1.0), (85822.2,)),
    Task(osborne.osborne_1, (0.5, 1.5, -1.0, 0.01, 0.02), (5.46489e-5,)),
    Task(fits.biggs, (1.0, 2.0, 1.0, 1.0, 1.0, 1.0), (0.0, 5.65565e-3)),
    Task(osborne.osborne_2, (1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5), (4.01377e-2,)),
    Task(systems.watson, (0.0,) * 6, (2.28767e-3,)),
    Task(functions.rosenbrock, (-1.2, 1.0) * 5),
    Task(functions.powell_singular, (3.0, -1.0, 0.0, 1.0) * 3),
    Task(functions.penalty, (1.0, 2.0, 3.0, 4.0), (2.24997e-5,)),
    Task(systems.penalty_2, (0.5,) * 4, (9.37629e-6,)),
    Task(functions.variably_dimensioned, tuple(1 - j / 10 for j in range(1, 11))),
    Task(systems.trigonometric, (0.1,) * 10, (0.0, 2.79506e-5)),
    Task(systems.brown_almost_linear, (0.5,) * 10, (0.0, 1.0)),
    Task(systems.boundary_value, tuple(j / 11 * (j / 11 - 1) for j in range(1, 11))),
    Task(systems.integral_equation, tuple(j / 11 * (j / 11 - 1) for j in range(1, 11))),
    Task(functions.broyden_tridiagonal, (-1.0,) * 10),
    Task(systems.broyden_banded, (-1.0,) * 10),
    Task(linear.linear, (1.0,) * 10, (10.0,)),
    Task(linear.linear_rank_1, (1.0,) * 10, (15 / 7,)),
    Task(linear.linear_rank_1_with_zeros, (1.0,) * 10, (62 / 17,)),
    Task(systems.chebyquad, tuple(j / 9 for j in range(1, 9)), (3.51687e-3,)),
)
