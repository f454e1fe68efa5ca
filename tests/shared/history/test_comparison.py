"""Verdicts on two runs: as often wrong as they say, and blind to what is not the code's."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import past
import pytest

from exp_core.history.comparison import changes, ratio_of
from exp_core.timing.statistics import median_interval


def only(found, name="ours"):
    return next(change for change in found.rows if change.name == name)


def result(*rows, **changes):
    return past.run(*rows, **changes).result


LIBRARY = past.row("library", rung="library")


@pytest.mark.parametrize(
    ("seconds", "verdict", "regression"),
    [
        (1.0e-3, "equivalent", False),
        (1.03e-3, "equivalent", False),
        (1.2e-3, "slower", True),
        (0.8e-3, "faster", False),
        (1.06e-3, "slower", True),
        (1.045e-3, "undecided", False),
    ],
)
def test_a_time_is_judged_by_its_interval(seconds, verdict, regression):
    found = changes(result(past.row(), LIBRARY), result(past.row(median_s=seconds), LIBRARY))
    assert only(found).verdict == verdict
    assert only(found).ratio == pytest.approx(1e-3 / seconds)
    assert bool(found.regressions) is regression


def test_wide_intervals_decide_nothing():
    noisy = past.row(median_s=1.2e-3, spread=0.3)
    assert only(changes(result(past.row(), LIBRARY), result(noisy, LIBRARY))).verdict == "undecided"


def test_a_gap_within_the_noise_of_both_sessions_is_none():
    slower = result(past.row(median_s=1.2e-3), LIBRARY, noise_floor=0.15)
    assert changes(result(noise_floor=0.15), slower).regressions == []
    assert only(changes(result(noise_floor=None), slower)).verdict == "undecided"


def test_on_two_machines_the_ratios_to_the_library_count():
    """The other machine is three times slower at everything: no regression.  Then ours alone is: one."""
    there = result(past.row(median_s=3e-3), replace(LIBRARY, median_s=3e-3), machine="there")
    found = changes(result(past.row(), LIBRARY), there)
    assert found.by == "ratio to library"
    assert found.regressions == []
    assert only(found).verdict == "equivalent"
    worse = result(past.row(median_s=3e-3, ratio=0.7), LIBRARY, machine="there")
    assert [c.name for c in changes(result(past.row(), LIBRARY), worse).regressions] == ["ours"]
    alone = past.row(ratio_to_library=None, ratio_ci95=None)
    assert only(changes(result(alone), result(alone, machine="there"))).verdict == "undecided"


def test_a_library_that_is_slower_is_nobody_s_regression_and_points_at_the_machine():
    slow = replace(LIBRARY, median_s=2e-3, ci95=(1.99e-3, 2.01e-3))
    found = changes(result(past.row(), LIBRARY), result(past.row(), slow))
    assert only(found, "library").verdict == "slower"
    assert found.regressions == []
    assert any("look at the machine" in note for note in found.notes)


def test_what_was_right_and_is_wrong_is_a_regression_however_fast():
    broken = past.row(median_s=1e-4, status="wrong", reason="error above its bound")
    found = changes(result(past.row(), LIBRARY), result(broken, LIBRARY))
    assert [change.name for change in found.regressions] == ["ours"]
    assert "error above its bound" in only(found).reason
    was_wrong = past.row(status="wrong")
    assert changes(result(was_wrong, LIBRARY), result(was_wrong, LIBRARY)).regressions == []


@pytest.mark.parametrize("bad", [{"median_s": None}, {"ci95": None}, {"ci95": (0.0, 1.0)}, {"ci95": (1e-3, math.inf)}])
def test_what_is_not_known_is_not_judged(bad):
    row = replace(past.row(), **bad)
    assert only(changes(result(past.row()), result(row))).verdict == "undecided"


def test_new_versions_are_named():
    newer = replace(result(), machine={"fingerprint": "here", "versions": {"numpy": "2.1"}})
    assert changes(result(), newer).notes == ("other versions: numpy 2.0 → 2.1",)


def test_the_interval_of_a_ratio_of_two_medians_covers_it():
    """Two sessions of 30 lognormal times each, true ratio 1.1: it lies inside in at least 93% of 600 trials.

    The binomial's four standard deviations at 95% are 3.6%; the interval is of two that each hold in 95%.
    """
    rng = np.random.default_rng(1)
    trials, inside, alone = 600, 0, 0
    for trial in range(trials):
        a, b = (median_interval(list(m * rng.lognormal(0, 0.1, 30)), trial) for m in (1.1, 1.0))
        _, low, high = ratio_of(a, b, 1.0)
        inside += low <= 1.1 <= high
        alone += a[1] / b[0] <= 1.1 <= a[2] / b[0]  # the interval of one of them, as if the other were exact
    assert inside / trials >= 0.95 - 4 * math.sqrt(0.95 * 0.05 / trials)
    assert alone / trials < 0.9  # sabotage: this shows


def test_equal_code_is_a_regression_in_at_most_one_of_twenty_comparisons():
    """Ten implementations, each session with noise of 1% and no shift; the floor and 5% off, to test the level."""
    rng = np.random.default_rng(2)
    wrong = 0
    for trial in range(100):
        sessions = []
        for _ in range(2):
            rows = []
            for k in range(10):
                middle, low, high = median_interval(list(1e-3 * rng.lognormal(0, 0.01, 20)), trial)
                rows.append(past.row(f"i{k}", middle, ci95=(low, high)))
            sessions.append(result(*rows, noise_floor=0.0))
        wrong += any(c.verdict in ("faster", "slower") for c in changes(*sessions, within=0.0).rows)
    assert wrong / 100 <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 100)
