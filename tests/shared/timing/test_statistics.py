"""Intervals hold what they promise, on samples whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from exp_core.timing.statistics import median_interval, noise_floor, ratio_interval


@pytest.mark.parametrize("n", [10, 20, 51])
def test_the_interval_covers_the_median_as_often_as_it_says(n):
    rng = np.random.default_rng(n)
    hits = 0
    for seed in range(300):
        _, low, high = median_interval(list(np.exp(rng.standard_normal(n))), seed)
        hits += low <= 1 <= high
    assert 0.90 <= hits / 300 <= 0.99


def test_few_values_give_all_that_was_seen():
    assert median_interval([3.0, 1.0, 2.0], 0) == (2.0, 1.0, 3.0)
    assert median_interval([1.0], 0) == (1.0, 1.0, 1.0)


def test_one_interruption_moves_nothing():
    calm = [1.0, 1.01, 0.99, 1.0, 1.02, 0.98, 1.0, 1.0, 1.01, 0.99, 1.0]
    assert median_interval([*calm, 100.0], 0)[0] == pytest.approx(1.0, rel=0.01)
    assert median_interval([*calm, 100.0], 0)[2] < 1.1


def test_what_slows_a_whole_round_cancels():
    weather = np.exp(np.random.default_rng(0).standard_normal(30))
    value, low, high = ratio_interval(list(2 * weather), list(weather), 0)
    assert (value, low, high) == pytest.approx((2, 2, 2))


def test_only_common_rounds_are_paired():
    assert ratio_interval([2.0, 4.0, 6.0, 99.0, 99.0], [1.0, 2.0, 3.0], 0)[0] == pytest.approx(2)
    assert ratio_interval([2.0, 4.0], [1.0, 2.0, 100.0], 0)[0] == pytest.approx(2)


def test_the_floor_is_exceeded_by_chance_about_once_in_twenty():
    rng, above = np.random.default_rng(0), 0
    for seed in range(300):
        a, b, c, d = np.exp(0.05 * rng.standard_normal((4, 25)))
        gap = abs(np.log(ratio_interval(list(a), list(b), seed)[0]))
        above += gap > np.log1p(noise_floor(list(c), list(d), seed))
    assert above / 300 <= 0.1


def test_intervals_are_reproducible():
    values = list(np.random.default_rng(0).random(30))
    assert median_interval(values, 1) == median_interval(values, 1)
