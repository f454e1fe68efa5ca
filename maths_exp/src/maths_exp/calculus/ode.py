"""Differential equations: how far to step, and what a step of higher order buys.

Problem   $y' = f(t, y)$ from $y(t_0) = y_0$. Wanted: y at the times $t_0 < t_1 < \\dots$, with a relative error of at
          most the given accuracy. The coarsest step or tolerance with which a method reaches it is found outside the
          timing: all are compared at equal accuracy.
Idea      A method of order p with step h errs by $O(h^p)$: one digit more costs Euler's method ten times the work, and
          one of order 8 a third more. Two results of different order in one step tell its error, and so the next h.
Look for  Ask for 1e-2, then for 1e-8: the order decides. On so small a state NumPy is hardly better than lists, and
          compiled code is a hundred times faster. Leapfrog errs, but its energy does not drift.
Source    E. Hairer, S. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed. (1993),
          doi:10.1007/978-3-540-78862-1, chapter II.  E. Hairer, C. Lubich, G. Wanner, Geometric Numerical Integration,
          2nd ed. (2006), doi:10.1007/3-540-30666-8, chapter I.
"""

from __future__ import annotations

import importlib.util
import math
from itertools import pairwise
from typing import Annotated

import numpy as np

from exp_core import Experiment, Problem
from maths_exp.calculus import _ode_systems as systems
from maths_exp.calculus._ode_compiled import (
    dop853_compiled,
    dormand_prince_compiled,
    leapfrog_compiled,
    rk4_compiled,
)
from maths_exp.calculus._ode_dop853 import DOP853
from maths_exp.calculus._ode_dormand_prince import dormand_prince
from maths_exp.calculus._ode_entries import per_evaluation, solver
from maths_exp.calculus._ode_forms import as_callback, as_lists, as_pointer
from maths_exp.calculus._ode_laws import LAWS, evaluations
from maths_exp.calculus._ode_library import odeint_lsoda, solve_ivp_dop853, solve_ivp_rk45
from maths_exp.calculus._ode_picture import picture as draw
from maths_exp.calculus._ode_plan import fewest_steps, second_order, widest_tolerance
from maths_exp.calculus._ode_pointers import pointer  # noqa: F401  (a reader's own f goes through it)
from maths_exp.calculus._ode_reference import exact
from maths_exp.calculus._ode_tableaus import DORMAND_PRINCE
from maths_exp.calculus._ode_vectorised import dormand_prince_vectorised, rk4_vectorised


def moved(y, h, k):
    """y + h k, component by component."""
    return [y_j + h * k_j for y_j, k_j in zip(y, k, strict=True)]


def euler(f, t, y0, steps):
    """Follow the slope at the start of each step: order 1.  Returns the states at t, and the evaluations of f."""
    states = [list(y0)]
    for start, end in pairwise(t):
        h, y = (end - start) / steps, states[-1]
        for i in range(steps):
            y = moved(y, h, f(start + i * h, y))
        states.append(y)
    return np.array(states), steps * (len(t) - 1)


def leapfrog(f, t, y0, steps):
    """For q'' = a(q): half a kick, a drift, half a kick. Order 2, reversible, and it keeps areas in phase space."""
    half = len(y0) // 2
    states, a = [list(y0)], f(t[0], y0)[half:]
    for start, end in pairwise(t):
        h, q, v = (end - start) / steps, states[-1][:half], states[-1][half:]
        for i in range(steps):
            v = moved(v, h / 2, a)
            q = moved(q, h, v)
            a = f(start + (i + 1) * h, [*q, *v])[half:]
            v = moved(v, h / 2, a)
        states.append([*q, *v])
    return np.array(states), 1 + steps * (len(t) - 1)


def rk4(f, t, y0, steps):
    """Four slopes, the middle ones twice as heavy, as in Simpson's rule: order 4 (Kutta 1901)."""
    states = [list(y0)]
    for start, end in pairwise(t):
        h, y = (end - start) / steps, states[-1]
        for i in range(steps):
            s = start + i * h
            k1 = f(s, y)
            k2 = f(s + h / 2, moved(y, h / 2, k1))
            k3 = f(s + h / 2, moved(y, h / 2, k2))
            k4 = f(s + h, moved(y, h, k3))
            y = [y_j + h / 6 * (a + 2 * b + 2 * c + d) for y_j, a, b, c, d in zip(y, k1, k2, k3, k4, strict=True)]
        states.append(y)
    return np.array(states), 4 * steps * (len(t) - 1)


Accuracy = Annotated[float, "largest relative error of a state at the output times"]


def possible(accuracy, span=0, longest=0):
    """Raises ValueError for what cannot be computed, or not be foretold."""
    if not 0 < accuracy < 1:
        raise ValueError(f"an accuracy lies between 0 and 1, {accuracy} does not")
    if span > longest:
        raise ValueError(f"beyond {longest} units of time the reference itself would lose its digits; asked for {span}")


def kepler(
    periods: Annotated[int, "revolutions"] = 5,
    eccentricity: Annotated[float, "of the ellipse, 0 to less than 1"] = 0.5,
    accuracy: Accuracy = 1e-8,
    *,
    dtype,
    rng,
):
    """A planet on an ellipse, from its perihelion: solved in closed form by Kepler's equation."""
    if not 0 <= eccentricity < 1:
        raise ValueError(f"an ellipse has an eccentricity from 0 to less than 1, not {eccentricity}")
    possible(accuracy)
    y0 = np.array([1 - eccentricity, 0, 0, math.sqrt((1 + eccentricity) / (1 - eccentricity))])
    return systems.kepler, np.linspace(0, math.tau * periods, 8 * periods + 1), y0, accuracy


def lorenz(span: Annotated[int, "time units"] = 8, accuracy: Accuracy = 1e-8, *, dtype, rng):
    """Lorenz's attractor: an error grows by the factor $e^{0.9}$ in each unit of time."""
    possible(accuracy, span, 30)
    return systems.lorenz, np.linspace(0, span, 8 * span + 1), np.ones(3), accuracy


def three_bodies(span: Annotated[int, "time units"] = 3, accuracy: Accuracy = 1e-8, *, dtype, rng):
    """Burrau's problem: masses 3, 4 and 5 fall from the corners of a triangle with those sides; near misses."""
    possible(accuracy, span, 20)
    y0 = np.array([1.0, 3.0, -2.0, -1.0, 1.0, -1.0] + [0.0] * 6)
    return systems.three_bodies, np.linspace(0, span, 8 * span + 1), y0, accuracy


LONG, SHORT = 3 * 10**6, 10**5  # steps or evaluations of a trial, in compiled code and in Python: below a second

# Where each method reaches the accuracy.  The forms of one method share a plan, found with the quickest form at hand.
if importlib.util.find_spec("numba"):
    LEAPFROG, RK4 = (leapfrog_compiled, as_pointer, 2), (rk4_compiled, as_pointer, 4)
    DP, DOP = (dormand_prince_compiled, as_pointer, None), (dop853_compiled, as_pointer, None)
else:
    LEAPFROG, RK4, LONG = (leapfrog, as_lists, 2), (rk4, as_lists, 4), SHORT
    DP = DOP = (dormand_prince, as_lists, None)
EULER = (euler, as_lists, 1)

by_euler, by_rk4 = fewest_steps(*EULER, SHORT), fewest_steps(*RK4, LONG)
by_leapfrog = second_order(fewest_steps(*LEAPFROG, LONG))
by_dp, by_dop853 = widest_tolerance(*DP[:2], LONG), widest_tolerance(dop853_compiled, as_pointer, LONG)
by_rk45_of_scipy = widest_tolerance(solve_ivp_rk45, as_callback, SHORT)
by_dop853_of_scipy = widest_tolerance(solve_ivp_dop853, as_callback, SHORT)
by_lsoda = widest_tolerance(odeint_lsoda, as_callback, 10 * SHORT)


METHODS = {"Euler, order 1": EULER, "leapfrog, order 2": LEAPFROG, "RK4, order 4": RK4, "Dormand-Prince, order 5": DP}


def picture(figure, f, *inputs):
    """What each method pays for its accuracy, and where the system goes."""
    methods = METHODS | ({"Dormand-Prince, order 8": DOP} if DOP is not DP else {})
    if f not in systems.SECOND_ORDER:
        del methods["leapfrog, order 2"]
    draw(figure, methods, f, *inputs)


DP_FLOPS, DOP_FLOPS = per_evaluation(DORMAND_PRINCE), per_evaluation(DOP853)
SMALL = {"accuracy": 1e-4}

EXPERIMENT = Experiment(
    problems=(
        Problem(
            kepler,
            small={"periods": 1, **SMALL},
            awkward=(
                {"periods": 1, "eccentricity": 0.0, "accuracy": 0.1},
                {"periods": 3, "eccentricity": 0.9, **SMALL},
            ),
        ),
        Problem(lorenz, kind="hard", small={"span": 1, **SMALL}, awkward=({"span": 3, **SMALL}, {"span": 7, **SMALL})),
        Problem(three_bodies, kind="hard", small={"span": 1, **SMALL}, awkward=({"span": 2, **SMALL},)),
    ),
    oracle=exact,
    laws=LAWS,
    figures={"evaluations": evaluations},
    implementations=(
        solver(euler, "textbook", as_lists, by_euler, combining=2),
        solver(leapfrog, "textbook", as_lists, by_leapfrog, combining=3),
        solver(rk4, "textbook", as_lists, by_rk4, combining=13 / 4),
        solver(dormand_prince, "textbook", as_lists, by_dp, combining=DP_FLOPS),
        solver(rk4_vectorised, "vectorised", as_lists, by_rk4, combining=13 / 4),
        solver(dormand_prince_vectorised, "vectorised", as_lists, by_dp, combining=DP_FLOPS),
        solver(leapfrog_compiled, "compiled", as_pointer, by_leapfrog, combining=3),
        solver(rk4_compiled, "compiled", as_pointer, by_rk4, combining=13 / 4),
        solver(dormand_prince_compiled, "compiled", as_pointer, by_dp, combining=DP_FLOPS),
        solver(dop853_compiled, "compiled", as_pointer, by_dop853, combining=DOP_FLOPS),
        solver(solve_ivp_rk45, "library", as_callback, by_rk45_of_scipy, combining=DP_FLOPS),
        solver(solve_ivp_dop853, "library", as_callback, by_dop853_of_scipy, combining=DOP_FLOPS),
        solver(odeint_lsoda, "library", as_callback, by_lsoda, combining=0),  # at the least: its orders vary
    ),
    picture=picture,
    dtypes=("float64",),
)
