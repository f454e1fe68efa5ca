"""ode: the reference against other methods and the laws of nature; plans and laws that say when something is wrong."""

from __future__ import annotations

import importlib.util
import math

import numpy as np
import pytest

from maths_exp.calculus import _ode_systems as systems
from maths_exp.calculus import ode
from maths_exp.calculus._ode_laws import energy_drift, error
from maths_exp.calculus._ode_reference import SERIES, exact, kepler_orbit, taylor

SYSTEMS = {
    "kepler": ode.kepler(1, 0.3, 1e-6, dtype="float64", rng=None),
    "lorenz": ode.lorenz(2, 1e-6, dtype="float64", rng=None),
    "three_bodies": ode.three_bodies(2, 1e-6, dtype="float64", rng=None),
}


@pytest.mark.parametrize("system", ["lorenz", "three_bodies"])
def test_reference_by_other_series_and_another_method(system):
    """Eight orders and 17 digits more change no digit of the reference; order 8 at 1e-13 agrees as far as it can."""
    f, t, y0, _ = SYSTEMS[system]
    reference = exact(*SYSTEMS[system])
    np.testing.assert_array_equal(reference, taylor(SERIES[f], t, y0, order=36, digits=50))
    np.testing.assert_allclose(
        ode.solve_ivp_dop853(lambda x, y: f(x, y.tolist()), t, y0, 1e-13)[0], reference, atol=1e-9
    )
    if f in systems.BODIES:
        energy = sum(systems.energy(f, reference))
        np.testing.assert_allclose(energy, energy[0], rtol=1e-12)


@pytest.mark.parametrize("eccentricity", [0.0, 0.3, 0.99])
def test_kepler_orbit_obeys_keplers_laws(eccentricity):
    """Energy -1/2, angular momentum sqrt(1 - e²), and back at the start after each revolution."""
    t = np.linspace(0, 10 * math.tau, 81)
    states = kepler_orbit(t, eccentricity)
    x, y, u, v = states.T
    near = np.hypot(x, y).min()  # rounding of r is felt as 1 / r²
    np.testing.assert_allclose(sum(systems.energy(systems.kepler, states)), -0.5, atol=1e-15 / near**2)
    np.testing.assert_allclose(x * v - y * u, math.sqrt(1 - eccentricity**2), rtol=1e-14)
    np.testing.assert_allclose(states[::8], states[[0] * 11], atol=1e-12 / near**2)


@pytest.mark.parametrize("problem", SYSTEMS)
def test_plans_reach_the_accuracy_and_not_much_more(problem):
    """Every solver that is not skipped is right as it was planned; with 0.8 of the steps a constant step is not."""
    inputs = SYSTEMS[problem]
    for solver in ode.EXPERIMENT.implementations:
        if not all(map(importlib.util.find_spec, solver.modules)) or solver.skip(*inputs):
            continue
        *arguments, last = solver.prepare(*inputs)
        assert error(solver.function(*arguments, last), *inputs, exact(*inputs)) <= inputs[-1], solver.name
        if isinstance(last, int) and last > 10:
            coarser = solver.function(*arguments, int(0.8 * last))
            assert error(coarser, *inputs, exact(*inputs)) > inputs[-1], solver.name


def test_euler_says_how_many_steps_it_would_need():
    """Order 1 at accuracy 1e-8: 10^9 steps or more, said without taking them."""
    inputs = ode.kepler(dtype="float64", rng=None)
    (euler,) = (solver for solver in ode.EXPERIMENT.implementations if solver.name == "euler")
    skip = euler.skip(*inputs)
    assert float(skip.reason.split()[2]) > 1e9
    assert "--accuracy" in skip.remedy


def test_laws_see_what_is_wrong():
    """A state off by twice the accuracy, an energy that has changed, a number that is none."""
    inputs = SYSTEMS["kepler"]
    truth = exact(*inputs)
    assert error((truth, 1), *inputs, truth) == 0
    assert energy_drift((truth, 1), *inputs, truth) < 1e-6
    wrong = truth.copy()
    wrong[3] *= 1 + 2e-6
    assert error(wrong, *inputs, truth) > 1e-6
    wrong[3] *= 1 + 1e-4
    assert energy_drift(wrong, *inputs, truth) > 1e-6
    wrong[3, 1] = math.nan
    assert math.isnan(error(wrong, *inputs, truth))
    assert math.isnan(energy_drift(wrong, *inputs, truth))


@pytest.mark.parametrize("wrong", [{"accuracy": 0.0}, {"accuracy": -1e-3}, {"accuracy": 1.0}, {"accuracy": math.nan}])
def test_impossible_accuracies_are_refused(wrong):
    """Before any work starts."""
    for make in (ode.kepler, ode.lorenz, ode.three_bodies):
        with pytest.raises(ValueError, match="between 0 and 1"):
            make(1, dtype="float64", rng=None, **wrong)
    with pytest.raises(ValueError, match="eccentricity"):
        ode.kepler(1, 1.0, dtype="float64", rng=None)
    with pytest.raises(ValueError, match="reference itself"):
        ode.lorenz(31, dtype="float64", rng=None)
