"""Steps that are there are found, and machines that come and go are none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exp_core.history.steps import ALPHA, MOST, steps

SERIES = 400


def false_positives(make, seed):
    rng = np.random.default_rng(seed)
    found = sum(bool(steps(np.exp(y), machines, seed=i)) for i in range(SERIES) for y, machines in [make(rng)])
    return found / SERIES


def most_by_chance():
    """Four standard deviations above ALPHA: a right test fails here once in 30,000 changes of the seed."""
    return ALPHA + 4 * math.sqrt(ALPHA * (1 - ALPHA) / SERIES)


def heavy_noise(rng, n):
    return 0.03 * rng.standard_t(3, n)  # with outliers, as a busy machine has


def test_noise_on_several_machines_takes_no_steps():
    def make(rng):
        n = int(rng.integers(5, 60))
        machine = rng.integers(3, size=n)
        return rng.normal(0, 0.5, 3)[machine] + heavy_noise(rng, n), machine

    assert false_positives(make, 1) <= most_by_chance()


def test_a_drift_from_one_machine_to_another_is_no_step():
    """At first all runs are from one machine, at last all from another that is far faster."""

    def make(rng):
        machine = (rng.random(40) < np.linspace(0, 1, 40)).astype(int)
        return rng.normal(0, 0.5, 2)[machine] + heavy_noise(rng, 40), machine

    assert false_positives(make, 2) <= most_by_chance()


def test_forgetting_the_machines_would_see_steps_in_that_drift():
    """The test above can fail: without the names, the drift is taken for steps."""

    def make(rng):
        machine = (rng.random(40) < np.linspace(0, 1, 40)).astype(int)
        return np.array([0.0, 0.5])[machine] + heavy_noise(rng, 40), np.zeros(40)

    assert false_positives(make, 3) > 0.5


@pytest.mark.parametrize("place", [8, 15, 24])
def test_a_step_is_found_where_it_is(place):
    rng = np.random.default_rng(place)
    machine = np.arange(32) % 2
    y = np.array([0.0, 0.6])[machine] + 0.02 * rng.standard_normal(32)
    y[place:] -= math.log(1.25)
    (step,) = steps(np.exp(y), machine)
    assert abs(step.at - place) <= 1
    assert step.factor == pytest.approx(0.8, rel=0.03)
    assert step.p <= ALPHA


def test_two_steps_are_both_found():
    rng = np.random.default_rng(5)
    y = 0.01 * rng.standard_normal(60)
    y[20:40] += 0.3
    first, second = steps(np.exp(y), ["one"] * 60)
    assert (first.at, second.at) == (20, 40)
    assert first.factor > 1 > second.factor


def test_a_step_together_with_a_change_of_machine_cannot_be_told():
    y = np.r_[np.zeros(20), np.ones(20)] + 0.01 * np.random.default_rng(0).standard_normal(40)
    assert steps(np.exp(y), ["old"] * 20 + ["new"] * 20) == []
    assert len(steps(np.exp(y), ["old"] * 40)) == 1


def test_a_certain_step_that_is_too_small_to_matter_is_none():
    y = np.r_[np.zeros(50), np.full(50, 0.01)] + 1e-4 * np.random.default_rng(0).standard_normal(100)
    assert steps(np.exp(y), ["one"] * 100) == []


@pytest.mark.parametrize("ratios", [[], [1.0], [1.0, 2.0], [1.0] * 20, [1.0, 5.0, 1.0, 5.0]])
def test_few_or_equal_values_prove_nothing(ratios):
    assert steps(ratios, ["one"] * len(ratios)) == []


def test_a_long_history_is_searched_at_its_end():
    n = MOST + 200
    y = np.r_[np.zeros(n - 50), np.full(50, 0.5)] + 0.01 * np.random.default_rng(0).standard_normal(n)
    (step,) = steps(np.exp(y), ["one"] * n)
    assert step.at == n - 50


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(-8, 8))
def test_a_machine_twice_as_fast_moves_no_step(seed, power):
    """Only ranks within a machine count: its level may be anything."""
    rng = np.random.default_rng(seed)
    y, machine = rng.standard_normal(20), rng.integers(2, size=20)
    y[12:] += 3
    plain, moved = steps(np.exp(y), machine), steps(np.exp(y) * np.where(machine, 2.0**power, 1.0), machine)
    assert [step.at for step in plain] == [step.at for step in moved]
