"""Everybody alone before and after the race, by a clock that only the contestants move."""

from __future__ import annotations

import pytest

from exp_core.timing.fake import FakeClock, FakeSampler
from exp_core.timing.isolated import ROUNDS_NEEDED, disagrees
from exp_core.timing.race import race


def run(samplers, clock, budget_s=5.0, seed=0):
    return race(samplers, budget_s, seed, lambda part: None, {}, clock)


class Disturbed(FakeSampler):
    """Takes longer by the factor ``harm`` right after somebody else."""

    last = None
    harm = 1.0

    def sample(self, calls):
        base = self.call_s
        if calls > 1:
            self.call_s *= 1.0 if Disturbed.last is self else self.harm
            Disturbed.last = self
        seconds = super().sample(calls)
        self.call_s = base
        return seconds


def test_one_that_its_neighbours_slow_is_found_and_the_others_are_not():
    clock = FakeClock()
    samplers = {"a": Disturbed(clock, 1e-4, noise=0.01), "b": Disturbed(clock, 2e-4, noise=0.01, seed=1)}
    calm = run(samplers, clock)
    assert calm.disagreements == ()
    assert calm.timings["b"].isolated_s == pytest.approx(2e-4, rel=0.02)
    samplers["b"].harm = 1.5
    slowed = run(samplers, clock)
    assert slowed.timings["b"].median_s == pytest.approx(3e-4, rel=0.02)
    assert slowed.timings["b"].isolated_s == pytest.approx(2e-4, rel=0.02)
    assert slowed.disagreements == ("b",)


def test_the_weather_is_not_taken_for_neighbours():
    flagged = 0
    for seed in range(60):
        clock = FakeClock()
        samplers = {name: FakeSampler(clock, 1e-4, noise=0.03, seed=100 * seed + i) for i, name in enumerate("ab")}
        flagged += bool(run(samplers, clock, budget_s=2.0, seed=seed).disagreements)
    assert flagged <= 2


def test_being_alone_takes_no_more_than_its_share():
    clock, log = FakeClock(), []
    samplers = {"slow": FakeSampler(clock, 0.4, name="slow", log=log), "fast": FakeSampler(clock, 1e-5)}
    comparison = run(samplers, clock)
    assert comparison.timings["slow"].isolated_s is None
    assert comparison.timings["fast"].isolated_s == pytest.approx(1e-5)
    assert clock.time <= 5.0 + 0.5


def test_each_condition_alone_is_not_enough():
    raced = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 0.99] * 3
    alone = [1.2, 1.21, 1.19, 1.2] * 2
    assert disagrees(raced, alone, 0.01, 2)
    assert not disagrees(raced, alone, 0.25, 2)  # below the floor
    assert not disagrees(raced, alone, None, 2)  # no floor at all
    assert not disagrees(raced, [1.2, 1.7, 0.8, 1.2] * 2, 0.01, 2)  # scattered itself
    assert not disagrees([x + 0.05 * (i % 7) for i, x in enumerate(raced)], alone, 0.01, 2)  # within the weather
    assert not disagrees(raced[: ROUNDS_NEEDED - 1], alone, 0.01, 2)
    assert not disagrees(raced, alone[:4], 0.01, 2)  # one block
    assert not disagrees(raced, alone[:4] + raced[:4], 0.01, 2)  # the weather of one block
