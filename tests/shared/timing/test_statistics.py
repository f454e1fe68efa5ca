"""Ratios and the floor; the coverage of intervals is in test_intervals.py."""

from __future__ import annotations

import numpy as np
import pytest

from exp_core.timing.statistics import median_interval, noise_floor, paired, ratio_interval


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
    assert paired([2.0, 2.0, 9.0], [1.0, 4.0]) == pytest.approx((np.log(2), -np.log(2)))


def test_the_floor_is_exceeded_by_chance_about_once_in_twenty():
    rng, above = np.random.default_rng(0), 0
    for seed in range(300):
        a, b, c, d = np.exp(0.05 * rng.standard_normal((4, 25)))
        gap = abs(np.log(ratio_interval(list(a), list(b), seed)[0]))
        above += gap > np.log1p(noise_floor(list(np.log(c / d)), seed))
    assert above / 300 <= 0.1


def test_a_floor_of_several_processes_holds_what_differs_between_them():
    shifts = np.repeat([0.05, -0.05, 0.04, -0.04], 20)
    assert noise_floor(list(shifts), 0, (20, 20, 20, 20)) > 0.02


def test_intervals_are_reproducible():
    values = list(1 + np.random.default_rng(0).random(30))
    assert median_interval(values, 1, (10, 20)) == median_interval(values, 1, (10, 20))
