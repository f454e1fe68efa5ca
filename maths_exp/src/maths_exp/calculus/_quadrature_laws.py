"""How right a set of integrals is, what it costs, and how a method for one integral is run over a set."""

from __future__ import annotations

import functools
import math

import numpy as np

from exp_core import Cost, Implementation, Skip
from maths_exp.calculus import _quadrature_integrands as families
from maths_exp.calculus import _quadrature_kahaner as battery

FLOPS = families.FLOPS | battery.FLOPS


def over_set(method):
    """The method, integral after integral, as a function of the set: values, error estimates, evaluations."""

    @functools.wraps(method)
    def run(integrands, tolerance):
        values, errors, evaluations = np.empty(len(integrands)), np.empty(len(integrands)), 0
        for i, (f, p, a, b) in enumerate(integrands):
            try:
                values[i], errors[i], calls = method(lambda x, f=f, p=p: f(x, p), a, b, tolerance)
                evaluations += calls
            except ArithmeticError:  # f is infinite where the method looks
                values[i], errors[i] = math.nan, math.inf
        return values, errors, evaluations

    return run


def parts(result):
    """Values and error estimates; a function that returns values alone claims to be right."""
    return result[:2] if isinstance(result, tuple) else (result, np.zeros_like(result))


def error(result, integrands, tolerance, truth):
    """The largest error of an integral, relative to the larger of 1 and the integral."""
    return float(np.max(abs(parts(result)[0] - truth) / np.maximum(1, abs(truth))))


def claimed_error(result, integrands, tolerance, truth):
    """The largest error that the method itself admits, in tolerances: above 1 it has given up, and says so."""
    values, errors = parts(result)
    claims = np.where(errors >= 0, errors, np.inf)  # no error is negative
    return float(np.max(claims / np.maximum(1, abs(values)))) / tolerance


def evaluations(result, *inputs):
    """Evaluations of f for one integral, on average; not known (NaN) of a function that returns values alone."""
    return result[2] / len(inputs[0]) if isinstance(result, tuple) else math.nan


LAWS = {"error": error, "claimed error": claimed_error}
BOUNDS = {"error": lambda integrands, tolerance: tolerance, "claimed error": lambda *inputs: 1.0}  # what was asked for


def integrator(function, rung, prepare=None, combining=0.0, memory=0.0, skip=None, **more):
    """An implementation whose cost is what its evaluations cost.

    combining: flops for each value beside f itself.     memory: bytes of working storage.
    """

    @functools.lru_cache(maxsize=256)
    def count(integrands, tolerance):
        with np.errstate(all="ignore"):
            return function(*(prepare(integrands, tolerance) if prepare else (integrands, tolerance)))[2]

    def cost(integrands, tolerance):
        if skip and skip(integrands, tolerance):
            return Cost(bytes=56.0 * len(integrands))
        mean = sum(FLOPS[one.f] for one in integrands) / len(integrands)
        flops = count(integrands, tolerance) * (mean + combining)
        return Cost(flops=float(flops), bytes=56.0 * len(integrands), memory=memory)

    return Implementation(function, rung, cost=cost, bound=BOUNDS, prepare=prepare, skip=skip, counted=True, **more)


def truth(integrands, tolerance):
    """The integrals as published, or in closed form."""
    return np.array(
        [
            battery.PUBLISHED[one] if one in battery.PUBLISHED else families.INTEGRALS[one.f](*one.p)
            for one in integrands
        ]
    )


def too_many(z):
    """Random points are not asked for digits that they cannot have."""

    def skip(integrands, tolerance):
        samples = len(integrands) * (z / tolerance) ** 2 / 10  # for a standard deviation of 1/3
        reason = f"needs some {samples:.0e} random points for an error of {tolerance:g}"
        return Skip(reason, "--tolerance 0.003") if samples > 1e8 else None

    return skip


def too_fine(least):
    """A rule whose error falls slowly is not asked for more than its finest step can give."""
    reason = f"its error falls as h², too slowly for less than {least:g}"
    return lambda integrands, tolerance: Skip(reason, f"--tolerance {least:g}") if tolerance < least else None
