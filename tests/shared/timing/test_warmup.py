"""The warm-up ends by evidence, and what it missed is mended in the rounds."""

from __future__ import annotations

import pytest

from exp_core.timing.fake import FakeClock, FakeSampler
from exp_core.timing.race import race
from exp_core.timing.sampler import FunctionSampler
from exp_core.timing.warmup import WINDOW, warm_up


class Falling(FakeSampler):
    """Each of the first ``slow_calls`` calls takes a little less than the one before, from three times as long."""

    slow_calls = 0

    def sample(self, calls):
        done = sum(calls for _, calls in self.log)
        base, self.call_s = self.call_s, self.call_s * (1 + 2 * max(1 - done / max(self.slow_calls, 1), 0))
        seconds = super().sample(calls)
        self.call_s = base
        return seconds


@pytest.mark.parametrize("slow_calls", [0, 17, 60, 300])
def test_it_lasts_as_long_as_the_times_fall(slow_calls):
    clock = FakeClock()
    sampler = Falling(clock, 1e-4)
    sampler.slow_calls = slow_calls
    warm = warm_up(sampler, 1.0, clock)
    assert warm.settled and warm.call_s == pytest.approx(1e-4)
    assert slow_calls <= warm.calls <= slow_calls + 3 * WINDOW


def test_noise_alone_ends_it_soon():
    clocks = [FakeClock() for _ in range(100)]
    calls = [warm_up(FakeSampler(c, 1e-4, noise=0.1, seed=s), 1.0, c).calls for s, c in enumerate(clocks)]
    assert sum(n > 2 * WINDOW for n in calls) <= 12  # 5% go on by chance
    assert max(calls) <= 5 * WINDOW


@pytest.mark.parametrize("call_s", [1e-3, 0.3, 20.0])
def test_it_keeps_to_its_allowance_but_for_one_call(call_s):
    clock = FakeClock()
    warm = warm_up(FakeSampler(clock, call_s), 5e-3, clock)
    assert clock.time <= max(5e-3, call_s)
    assert not warm.settled and warm.calls >= 1


class CompilesTwice(FakeSampler):
    """Compiles at its first call, and another specialisation later."""

    def __init__(self, clock, call_s, second_at):
        super().__init__(clock, call_s, compile_s=1.3)
        self.second_at, self.done = second_at, 0

    def sample(self, calls):
        before, self.done = self.done, self.done + calls
        seconds = super().sample(calls)
        late = 1.1 if before < self.second_at <= self.done else 0.0
        self.clock.time += late
        return seconds + late


@pytest.mark.parametrize("second_at", [2, 3, 8, 12, 100, 5_000])
@pytest.mark.parametrize("call_s", [1e-6, 1e-4])
def test_a_second_compilation_leaves_the_steady_state_as_if_warmed_by_hand(second_at, call_s):
    clock = FakeClock()
    samplers = {"jit": CompilesTwice(clock, call_s, second_at), "by hand": FakeSampler(clock, call_s)}
    comparison = race(samplers, 5.0, 0, lambda part: None, {}, clock)
    jit, by_hand = comparison.timings["jit"], comparison.timings["by hand"]
    assert jit.first_call_s == pytest.approx(1.3, rel=1e-2)
    assert jit.median_s == pytest.approx(by_hand.median_s, rel=0.02)
    assert jit.calls >= by_hand.calls / 4  # not one call a sample, as the compilation alone would have it


def test_functions_of_any_number_of_inputs_are_called_as_often_as_asked():
    for inputs in [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)]:
        seen = []
        sampler = FunctionSampler(lambda *args, seen=seen: seen.append(args), inputs)
        assert sampler.sample(3) > 0
        assert seen == [inputs] * 3
