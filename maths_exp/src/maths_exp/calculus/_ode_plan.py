"""What makes methods of different order comparable: for each, the coarsest step or tolerance that is accurate enough.

It is found by running the method against the known solution, from coarse to fine, once a problem and outside timing.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import NamedTuple

import numpy as np

from exp_core import Skip
from maths_exp.calculus import _ode_systems as systems
from maths_exp.calculus._ode_forms import as_pointer
from maths_exp.calculus._ode_laws import error
from maths_exp.calculus._ode_reference import exact

MARGIN = 0.98  # of the accuracy: room for what a fused multiply-add changes between two forms of one method
REMEDY = "ask for less: --accuracy 0.1 or a shorter time"
ASYMPTOTIC = 0.1  # an error below this follows the method's order, roughly


class Plan(NamedTuple):
    """How to call a solver: its last argument; how often it will evaluate f; or why it should not be called."""

    argument: float
    evaluations: int
    skip: Skip | None = None


def cached(search):
    """Remember what was found for a problem: the search is repeated by nobody."""
    memory = functools.lru_cache(maxsize=1024)(
        lambda f, t, y0, accuracy: search(f, np.frombuffer(t), np.frombuffer(y0), accuracy)
    )
    return lambda f, t, y0, accuracy: memory(f, t.tobytes(), y0.tobytes(), accuracy)


def fewest_steps(solve, form, order, limit):
    """A plan for a method with constant steps: how many between two output times; at most limit steps in all.

    The error falls like steps^(-order): the next trial comes close to where that law says that the accuracy is reached.
    """

    def search(f, t, y0, accuracy):
        inputs = f, t, y0, accuracy
        intervals, steps = max(len(t) - 1, 1), 1
        while steps * intervals <= limit:
            with np.errstate(all="ignore"):
                try:
                    result = solve(*form(f, t, y0), steps)
                    found = error(result, *inputs, exact(*inputs))
                except ArithmeticError:  # Python's floats overflow with an exception
                    found = np.inf
            if found <= MARGIN * accuracy:
                return Plan(steps, result[1])
            known = found < ASYMPTOTIC or (16 * steps * intervals > limit and found < np.inf)
            missing = (found / (MARGIN * accuracy)) ** (1 / order) if known else 4.0
            if steps * missing * intervals > limit:
                steps *= missing
                break
            steps = math.ceil(steps * min(max(missing, 1.02), 4.0))
        reason = f"needs some {steps * intervals:.0e} steps or more for an error of {accuracy:g}"
        return Plan(steps, 0, Skip(reason, REMEDY))

    return cached(search)


def widest_tolerance(solve, form, limit):
    """A plan for a method that chooses its steps itself: the tolerance to give it.

    form: f, t and y0 as solve wants them; limit: the most evaluations of a trial, if f is called from Python.
    """

    def search(f, t, y0, accuracy):
        inputs = f, t, y0, accuracy
        tolerance, reason = 10 * accuracy, f"rounding keeps its error above {accuracy:g}"
        while tolerance > 1e-15:
            try:
                g, *rest = form(f, t, y0)
                result = solve(counted(g, limit) if form is not as_pointer else g, *rest, tolerance)
                found = error(result, *inputs, exact(*inputs))
            except ArithmeticError:  # so coarse that it ran into a singularity
                found = np.inf
            except RuntimeError as too_long:
                reason = str(too_long)
                break
            if found <= MARGIN * accuracy:
                return Plan(tolerance, result[1])
            tolerance *= min(0.7, max(1 / 30, (accuracy / found) ** 0.5)) if found < np.inf else 1 / 30
        return Plan(tolerance, 0, Skip(reason, REMEDY))

    return cached(search)


def counted(f, limit):
    """f, until it has been called too often: then RuntimeError."""
    calls = itertools.count(1)

    def called(t, y):
        if next(calls) > limit:
            raise RuntimeError(f"needs more than {limit:.0e} evaluations of f, too many to wait for")
        return f(t, y)

    return called


def second_order(plan):
    """A plan for systems q'' = a(q) alone."""
    why = Skip("made for q'' = a(q): position and velocity", "--problem kepler")
    return lambda f, *rest: plan(f, *rest) if f in systems.SECOND_ORDER else Plan(1, 0, why)
