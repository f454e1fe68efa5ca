from __future__ import annotations

import pytest

from exp_core.timing.calibrate import LONGEST_S, calibrate, sample_length
from exp_core.timing.fake import FakeClock, FakeSampler


@pytest.mark.parametrize("call_s", [1e-9, 3e-7, 1e-5, 2e-3])
def test_a_sample_lasts_as_long_as_was_asked(call_s):
    calls, estimate = calibrate(FakeSampler(FakeClock(), call_s), 0.01)
    assert calls * call_s == pytest.approx(0.01, rel=0.2)
    assert estimate == pytest.approx(call_s)


def test_a_long_call_is_a_sample_by_itself_and_is_tried_once():
    sampler = FakeSampler(FakeClock(), 3.0)
    assert calibrate(sampler, 0.01) == (1, 3.0)
    assert sampler.log == [("", 1)]


def test_one_interrupted_trial_does_not_decide():
    class Interrupted(FakeSampler):
        def sample(self, calls):
            return super().sample(calls) + (0.03 if len(self.log) == 1 else 0.0)

    assert calibrate(Interrupted(FakeClock(), 1e-5), 0.01)[0] > 500


def test_a_sample_is_long_against_the_tick_and_no_longer_than_useful():
    assert sample_length(5.0, 5, tick_s=1e-3) == pytest.approx(10.0)  # 1e-4 of it is the tick
    assert sample_length(1e6, 5, tick_s=1e-8) == LONGEST_S
    assert sample_length(5.0, 5, tick_s=1e-8) < sample_length(5.0, 2, tick_s=1e-8) <= LONGEST_S


def test_one_long_call_that_the_warm_up_saw_is_not_made_again():
    sampler = FakeSampler(FakeClock(), 3.0)
    assert calibrate(sampler, 0.01, call_s=3.0) == (1, 3.0)
    assert sampler.log == []


@pytest.mark.parametrize("seen_s", [1e-7, 1e-5, 1e-3])
def test_a_warm_up_that_was_wrong_does_no_harm(seen_s):
    calls, estimate = calibrate(FakeSampler(FakeClock(), 1e-5), 0.01, seen_s)
    assert (calls, estimate) == (1000, pytest.approx(1e-5))
