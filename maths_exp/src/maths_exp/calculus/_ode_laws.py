"""How right a solution is: against the reference, and by what the system conserves."""

from __future__ import annotations

import math

import numpy as np

from maths_exp.calculus import _ode_systems as systems


def error(result, f, t, y0, accuracy, truth):
    """The largest error of a state over the output times, relative to the state: the norm is Euclid's."""
    states = result[0] if isinstance(result, tuple) else result
    with np.errstate(all="ignore"):
        return float(np.max(np.linalg.norm(states - truth, axis=1) / np.linalg.norm(truth, axis=1)))


def energy_drift(result, f, t, y0, accuracy, truth):
    """The change of the energy over that which an error of the given accuracy could explain, times the accuracy.

    An error of the state by $\\delta$ changes no speed by more than $\\delta$ and no distance by more than
    $\\sqrt 2 \\delta$. As $v^2$ and $1/r$ are convex, the energy changes most at speed + slack and distance - slack.
    """
    if f not in systems.BODIES:
        return 0.0  # nothing is conserved
    states = result[0] if isinstance(result, tuple) else result
    slack = math.sqrt(2) * accuracy / (1 - accuracy) * np.linalg.norm(states, axis=1)
    (kinetic, potential), (faster, deeper) = systems.energy(f, states), systems.energy(f, states, slack)
    drift = abs(kinetic + potential - sum(systems.energy(f, y0[None])))
    return accuracy * float(np.max(drift / ((faster - kinetic) + (potential - deeper))))


def evaluations(result, *inputs):
    """Evaluations of f; not known (NaN) of a function that returns the states alone."""
    return float(result[1]) if isinstance(result, tuple) else math.nan


LAWS = {"error": error, "energy drift": energy_drift}
