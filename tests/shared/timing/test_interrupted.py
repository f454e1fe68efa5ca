"""Ctrl-C at any moment leaves what is complete."""

from __future__ import annotations

import pytest

from exp_core.timing import Interrupted
from exp_core.timing.fake import FakeClock, FakeSampler
from exp_core.timing.race import race


def run(samplers, clock, budget_s=5.0):
    return race(samplers, budget_s, 0, lambda part: None, {}, clock)


def test_an_interruption_leaves_all_complete_rounds():
    clock = FakeClock()
    samplers = {"a": FakeSampler(clock, 1e-3), "b": FakeSampler(clock, 1e-3, error=KeyboardInterrupt(), error_at=30)}
    with pytest.raises(Interrupted) as caught:
        run(samplers, clock)
    partial = caught.value.partial
    assert isinstance(caught.value, KeyboardInterrupt)
    assert partial.rounds > 0
    assert len(partial.timings["a"].samples) == len(partial.timings["b"].samples) == partial.rounds
    assert partial.noise_floor is not None


def test_an_interruption_before_the_first_round_leaves_the_first_calls():
    clock = FakeClock()
    samplers = {"a": FakeSampler(clock, 1e-3), "b": FakeSampler(clock, 1e-3, error=KeyboardInterrupt(), error_at=1)}
    with pytest.raises(Interrupted) as caught:
        run(samplers, clock)
    assert caught.value.partial.timings["a"].first_call_s == 1e-3
    assert str(caught.value.partial)


def test_an_interruption_at_any_moment_leaves_complete_rounds():
    for at in range(1, 90, 4):
        clock = FakeClock()
        samplers = {name: FakeSampler(clock, 1e-3, name=name) for name in "ab"}
        samplers["c"] = FakeSampler(clock, 1e-3, error=KeyboardInterrupt(), error_at=at)
        with pytest.raises(Interrupted) as caught:
            run(samplers, clock, budget_s=10.0)
        partial = caught.value.partial
        assert {len(t.samples) for t in partial.timings.values()} == {partial.rounds}
        assert str(partial) and partial._repr_html_() and partial.to_dict()
