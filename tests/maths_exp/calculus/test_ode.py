"""ode: the order of each method, what leapfrog conserves, and solvers that end whatever they are given."""

from __future__ import annotations

import math
from itertools import count

import numpy as np
import pytest

from maths_exp.calculus import _ode_systems as systems
from maths_exp.calculus import ode
from maths_exp.calculus._ode_laws import error
from maths_exp.calculus._ode_pointers import pointer
from maths_exp.calculus._ode_reference import exact

CONSTANT = ["euler", "leapfrog", "rk4", "rk4_vectorised", "leapfrog_compiled", "rk4_compiled"]
ADAPTIVE = ["dormand_prince", "dormand_prince_vectorised", "dormand_prince_compiled", "dop853_compiled"]
LIBRARY = ["solve_ivp_rk45", "solve_ivp_dop853", "odeint_lsoda"]
SYSTEMS = {
    "kepler": ode.kepler(1, 0.3, 1e-6, dtype="float64", rng=None),
    "lorenz": ode.lorenz(2, 1e-6, dtype="float64", rng=None),
    "three_bodies": ode.three_bodies(2, 1e-6, dtype="float64", rng=None),
}


def solve(name, f, t, y0, argument):
    """Call a solver by its name, f in the form that it wants."""
    if "compiled" in name:
        pytest.importorskip("numba")
        return getattr(ode, name)(pointer(f), np.asarray(t, float), np.asarray(y0, float), argument)
    if name in LIBRARY:
        return getattr(ode, name)(lambda x, y: f(x, y.tolist()), np.asarray(t, float), np.asarray(y0, float), argument)
    return getattr(ode, name)(f, list(t), list(y0), argument)


def slope(works, errors):
    """The order seen in errors: minus the slope of log error against log work."""
    return -np.polyfit(np.log(works), np.log(errors), 1)[0]


@pytest.mark.parametrize("name", CONSTANT)
def test_measured_order_of_constant_steps(name):
    """The error on a planet's orbit falls as steps^(-p), p within 0.2 of what the method claims."""
    order = {"e": 1, "l": 2, "r": 4}[name[0]]
    inputs = SYSTEMS["kepler"]
    steps = np.array([1, 2, 4, 8]) * {1: 8000, 2: 40, 4: 20}[order]
    steps = steps[: 3 if order == 1 else 4]
    errors = [error(solve(name, *inputs[:3], int(n)), *inputs, exact(*inputs)) for n in steps]
    assert slope(steps, errors) == pytest.approx(order, abs=0.2)


@pytest.mark.parametrize(("name", "order"), [*((name, 5) for name in ADAPTIVE[:3]), ("dop853_compiled", 8)])
def test_work_of_the_adaptive_methods_grows_with_their_order(name, order):
    """Evaluations grow as error^(-1/p): a wrong coefficient would show as a lower p."""
    inputs = SYSTEMS["kepler"]
    results = [solve(name, *inputs[:3], tolerance) for tolerance in 10.0 ** -np.arange(8, 13)]
    errors = [error(result, *inputs, exact(*inputs)) for result in results]
    assert slope([result[1] for result in results], errors) > order - 0.8


@pytest.mark.parametrize("system", SYSTEMS)
def test_forms_of_one_method_agree(system):
    """Python's lists, NumPy's arrays and compiled code walk through the same steps; rounding alone differs."""
    f, t, y0, _ = SYSTEMS[system]
    for forms, argument in ((("rk4", "rk4_vectorised", "rk4_compiled"), 50), (ADAPTIVE[:3], 1e-7)):
        (first, calls), *others = (solve(name, f, t, y0, argument) for name in forms)
        for states, evaluations in others:
            assert evaluations == calls
            np.testing.assert_allclose(states, first, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["euler", "leapfrog", "rk4", "rk4_vectorised", *ADAPTIVE[:2], *LIBRARY])
def test_evaluations_are_counted(name):
    """The number returned is the number of calls."""
    f, t, y0, _ = SYSTEMS["kepler"]
    calls = count()

    def counted(x, y):
        next(calls)
        return f(x, y)

    assert solve(name, counted, t, y0, 3 if name in CONSTANT else 1e-5)[1] == next(calls)


def halfway(states, half):
    """States with the velocities turned round."""
    return np.concatenate([states[:half], -states[half:]])


def test_leapfrog_runs_backwards_to_where_it_started():
    """Time-reversible: turn the velocities round, and the same steps lead back, to rounding; Runge-Kutta's do not."""
    f, t, y0, _ = SYSTEMS["kepler"]
    for name, back in (("leapfrog", True), ("rk4", False)):
        there = halfway(solve(name, f, t, y0, 5)[0][-1], 2)
        home = halfway(solve(name, f, t, there, 5)[0][-1], 2)
        assert (np.linalg.norm(home - y0) < 1e-11) == back, name


def test_leapfrog_is_symplectic():
    """The derivative M of the end by the start keeps J = [[0, 1], [-1, 0]]: M^T J M = J; Runge-Kutta's does not."""
    f, t, y0, _ = SYSTEMS["kepler"]
    one, zero = np.eye(2), np.zeros((2, 2))
    symplectic = np.block([[zero, one], [-one, zero]])
    for name, kept in (("leapfrog", True), ("rk4", False)):
        h = 1e-5  # central differences err by about h^2 times a third derivative, and rounding by u / h
        ends = [
            (solve(name, f, t[:3], y0 + s, 1)[0][-1], solve(name, f, t[:3], y0 - s, 1)[0][-1]) for s in h * np.eye(4)
        ]
        derivative = np.stack([(plus - minus) / (2 * h) for plus, minus in ends], axis=1)
        broken = np.max(abs(derivative.T @ symplectic @ derivative - symplectic))
        assert (broken < 1e-6) == kept, (name, broken)


def test_energy_of_leapfrog_does_not_drift():
    """Over 400 revolutions its energy error stays what it was in the first 40; that of RK4 grows in proportion."""
    f, _, y0, _ = SYSTEMS["kepler"]
    t = np.linspace(0, 400 * math.tau, 16001)
    growth = {}
    for name, steps in (("leapfrog_compiled", 2), ("rk4_compiled", 1)):
        drift = abs(sum(systems.energy(f, solve(name, f, t, y0, steps)[0])) + 0.5)
        growth[name] = drift[14400:].max() / drift[:1601].max()
    assert growth["leapfrog_compiled"] < 1.1
    assert growth["rk4_compiled"] > 5


@pytest.mark.parametrize("name", [*CONSTANT, *ADAPTIVE, *LIBRARY])
def test_an_empty_span_returns_the_start(name):
    """No time passes, nothing moves: for one output time, and for two equal ones."""
    f, _, y0, _ = SYSTEMS["kepler"]
    for t in ([0.0], [1.0, 1.0]):
        states = solve(name, f, t, y0, 1 if name in CONSTANT else 1e-6)[0]
        np.testing.assert_array_equal(states, np.tile(y0, (len(t), 1)))


@pytest.mark.parametrize("name", ADAPTIVE)
def test_no_adaptive_solver_hangs(name):
    """A start that is not a number, and one that becomes infinite (y' = y² at t = 1), end with a clear failure."""

    def square(t, y):
        return (y[0] * y[0],)

    for f, y0 in ((systems.lorenz, [1.0, math.nan, 1.0]), (square, [1.0])):
        with pytest.raises(ArithmeticError, match="step has shrunk"):
            solve(name, f, [0.0, 2.0], y0, 1e-6)


@pytest.mark.parametrize("name", [*ADAPTIVE, *LIBRARY])
def test_an_equilibrium_and_a_start_at_zero(name):
    """y' = 0 stays; y' = cos t starts from 0, where no scale for the first step is known, and gives sin t."""
    t = [0.0, 0.5, 2.0]
    np.testing.assert_array_equal(solve(name, lambda t, y: (0.0 * y[0],), t, [3.0], 1e-6)[0], [[3.0]] * 3)
    states = solve(name, lambda t, y: (math.cos(t),), t, [0.0], 1e-8)[0]
    np.testing.assert_allclose(states[:, 0], np.sin(t), atol=1e-6)
