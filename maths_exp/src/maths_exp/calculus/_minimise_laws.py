"""How right a set of minimisers is, what they cost, and how a method for one function is run over a set."""

from __future__ import annotations

import functools
import math

import numpy as np

from exp_core import Cost, Implementation
from exp_core.tensor import unit_roundoff
from maths_exp.calculus import _minimise_fits as fits
from maths_exp.calculus import _minimise_linear as linear
from maths_exp.calculus import _minimise_objectives as functions
from maths_exp.calculus import _minimise_osborne as osborne
from maths_exp.calculus import _minimise_systems as systems
from maths_exp.calculus._minimise_curvature import hessian

ELEMENTARY = 20  # flops of exp, a root or an arc tangent: a polynomial of degree 10
# f              flops of one evaluation with its gradient, from the number of variables
FLOPS = {
    functions.rosenbrock: lambda n: 6 * n,
    functions.freudenstein_roth: lambda n: 40,
    functions.powell_badly_scaled: lambda n: 16 + 2 * ELEMENTARY,
    functions.brown_badly_scaled: lambda n: 16,
    functions.beale: lambda n: 42,
    functions.helical_valley: lambda n: 28 + 2 * ELEMENTARY,
    functions.powell_singular: lambda n: 10 * n,
    functions.wood: lambda n: 44,
    functions.penalty: lambda n: 11 * n + 2,
    functions.variably_dimensioned: lambda n: 15 * n,
    functions.broyden_tridiagonal: lambda n: 19 * n,
    fits.jennrich_sampson: lambda n: 10 * (14 + 2 * ELEMENTARY),
    fits.bard: lambda n: 15 * 20,
    fits.gaussian: lambda n: 15 * (22 + ELEMENTARY),
    fits.box: lambda n: 10 * (20 + 4 * ELEMENTARY),
    fits.kowalik_osborne: lambda n: 11 * 24,
    fits.biggs: lambda n: 13 * (45 + 6 * ELEMENTARY),
    systems.trigonometric: lambda n: (15 + 6 * ELEMENTARY) * n,
    systems.boundary_value: lambda n: 28 * n,
    systems.broyden_banded: lambda n: 9 * n * min(n, 6) + 14 * n,
    linear.linear: lambda n: 11 * n,
    fits.meyer: lambda n: 16 * (21 + ELEMENTARY),
    fits.gulf: lambda n: 99 * (22 + 5 * ELEMENTARY),
    fits.brown_dennis: lambda n: 20 * (24 + 4 * ELEMENTARY),
    osborne.osborne_1: lambda n: 33 * (25 + 2 * ELEMENTARY),
    osborne.osborne_2: lambda n: 65 * (67 + 7 * ELEMENTARY),
    systems.watson: lambda n: 29 * (14 * n + 6),
    systems.penalty_2: lambda n: 9 * n + (19 + 5 * ELEMENTARY) * (n - 1),
    systems.brown_almost_linear: lambda n: n * (n + 11),
    systems.integral_equation: lambda n: n * (21 * n + 5),
    linear.linear_rank_1: lambda n: 10 * n,
    linear.linear_rank_1_with_zeros: lambda n: 10 * n,
    systems.chebyquad: lambda n: n * n * (5 * n + 9),
    functions.quadratic: lambda n: (6 + ELEMENTARY) * n,
    functions.lennard_jones: lambda n: 28 * (n // 3) * (n // 3 - 1) / 2,
}


def evaluator(f, n):
    """f as a function of an array alone: its value and its gradient."""

    def value_and_gradient(x):
        g = [0.0] * n
        return f(x.tolist(), g, n), np.array(g)

    return value_and_gradient


def over_set(method):
    """The method, task after task, as a function of the set: all minimisers in one array, and the evaluations."""

    @functools.wraps(method)
    def run(tasks, tolerance):
        results, evaluations = [], 0
        for task in tasks:
            start = np.array(task.start)
            try:
                x, calls = method(evaluator(task.f, start.size), start, tolerance)
            except (ArithmeticError, np.linalg.LinAlgError):  # a step so wild that f or its curvature overflows
                x, calls = start, 0
            results.append(x)
            evaluations += calls
        return np.concatenate(results), evaluations

    return run


def pieces(result, tasks):
    """Each task with its part of the result; a function that returns the minimisers alone is welcome."""
    x = np.asarray(result[0] if isinstance(result, tuple) else result, float)
    ends = np.cumsum([len(task.start) for task in tasks])
    if x.shape != (ends[-1],):
        raise ValueError(f"one array of {ends[-1]} numbers is wanted: the minimisers, one after the other")
    return zip(tasks, np.split(x, ends[:-1]), strict=True)


def gradient(result, tasks, tolerance):
    """The largest component of a gradient: at a minimum there is none.  One that rounding hides counts for less."""
    worst = 0.0
    for task, x in pieces(result, tasks):
        try:
            f, g = evaluator(task.f, x.size)(x)
        except ArithmeticError:
            return math.inf
        if not np.all(np.isfinite(g)):
            return math.inf
        slope = float(np.max(abs(g)))
        if slope > tolerance:
            slope *= tolerance / max(tolerance, hidden(task, x, f, g))
        worst = max(worst, slope)
    return worst


def hidden(task, x, f, g):
    """The steepest slope that cannot be seen in f: down along g it falls by $|g|^2 / 2 |H|$, and rounding is u |f|.

    Source: P. E. Gill, W. Murray, M. H. Wright, Practical Optimization (1981), section 8.2.2.
    """
    try:
        H = hessian(evaluator(task.f, x.size), x, g)
    except ArithmeticError:
        return 0.0
    return math.sqrt(2 * unit_roundoff(x) * abs(f) * np.linalg.norm(H, 2)) if np.all(np.isfinite(H)) else 0.0


def solved(result, tasks, tolerance):
    """The share of tasks that ended at a published least value: to four digits, zero to six places."""
    hits = 0
    for task, x in pieces(result, tasks):
        f = evaluator(task.f, x.size)(x)[0]
        hits += any(abs(f - least) <= (1e-4 * least or 1e-6) for least in task.least)
    return hits / len(tasks)


def evaluations(result, tasks, tolerance):
    """Evaluations of f and its gradient; not known (NaN) of a function that returns the minimisers alone."""
    return float(result[1]) if isinstance(result, tuple) else math.nan


LAWS = {"gradient": gradient}


def minimiser(function, rung, prepare=None, combining=lambda n: 0.0, **more):
    """An implementation whose cost is what its evaluations cost; combining: flops beside each evaluation."""

    @functools.lru_cache(maxsize=256)
    def count(tasks, tolerance):
        with np.errstate(all="ignore"):
            return function(*(prepare(tasks, tolerance) if prepare else (tasks, tolerance)))[1]

    def cost(tasks, tolerance):
        sizes = [len(task.start) for task in tasks]
        each = [FLOPS[task.f](n) + combining(n) for task, n in zip(tasks, sizes, strict=True)]
        flops = count(tasks, tolerance) * sum(each) / len(each)
        return Cost(flops=float(flops), bytes=16.0 * sum(sizes), memory=64.0 * max(sizes) ** 2 + 1e5)

    return Implementation(
        function,
        rung,
        cost=cost,
        bound=lambda tasks, tolerance: tolerance,  # what all were asked for
        prepare=prepare,
        counted=True,
        **more,
    )
