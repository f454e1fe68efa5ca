"""The flow of a race, by a clock that only the contestants move."""

from __future__ import annotations

import gc
import json
import math
import re
import time
from itertools import pairwise

import pytest

from exp_core.timing import Comparison, compare
from exp_core.timing.fake import FakeClock, FakeSampler
from exp_core.timing.race import race
from exp_core.timing.schedule import ROUNDS_AT_LEAST, ROUNDS_WANTED


def run(samplers, clock, budget_s=5.0, seed=0, progress=lambda part: None, first_calls=None):
    return race(samplers, budget_s, seed, progress, first_calls or {}, clock)


def test_a_known_ratio_lies_in_its_interval():
    hits = 0
    for seed in range(40):
        clock = FakeClock()
        a = FakeSampler(clock, 1e-4, noise=0.05, seed=seed)
        b = FakeSampler(clock, 1.1e-4, noise=0.05, seed=1000 + seed)
        ratio = run({"a": a, "b": b}, clock, seed=seed).ratio("a", to="b")
        hits += ratio.ci95[0] <= 1.1 <= ratio.ci95[1]
        assert ratio.value == pytest.approx(1.1, rel=0.1)
    assert hits >= 34  # of 40 at 95%: fewer happens once in 1,000 times


def test_the_same_twice_is_not_told_apart():
    told_apart = 0
    for seed in range(40):
        clock = FakeClock()
        samplers = {name: FakeSampler(clock, 1e-4, noise=0.05, seed=100 * seed + i) for i, name in enumerate("ab")}
        comparison = run(samplers, clock, seed=seed)
        told_apart += comparison.ranked(comparison.ratio("a", to="b"))
    assert told_apart <= 5


def test_a_gap_above_the_floor_is_ranked():
    clock = FakeClock()
    samplers = {"a": FakeSampler(clock, 1e-4, noise=0.01), "b": FakeSampler(clock, 1.5e-4, noise=0.01, seed=1)}
    comparison = run(samplers, clock)
    assert 0 < comparison.noise_floor < 0.02
    assert comparison.ranked(comparison.ratio("a", to="b"))


def test_a_drift_of_the_machine_does_not_move_the_ratio():
    clock = FakeClock()

    class Drifting(FakeSampler):
        def sample(self, calls):
            base, self.call_s = self.call_s, self.call_s * (1 + self.clock.time / 5)  # twice as slow in the end
            seconds = super().sample(calls)
            self.call_s = base
            return seconds

    comparison = run({"a": Drifting(clock, 1e-4), "b": Drifting(clock, 2e-4)}, clock)
    assert comparison.ratio("a", to="b").value == pytest.approx(2, rel=0.01)


def test_compilation_is_in_the_first_call_and_nowhere_else():
    clock = FakeClock()
    jit = FakeSampler(clock, 1e-5, compile_s=2.0)
    warm = FakeSampler(clock, 1e-5)
    comparison = run({"jit": jit, "warm": warm}, clock, budget_s=6.0)
    assert comparison.timings["jit"].first_call_s == pytest.approx(2.0, rel=1e-3)
    assert comparison.timings["jit"].median_s == pytest.approx(1e-5)
    assert comparison.timings["jit"].calls == comparison.timings["warm"].calls > 100


def test_a_first_call_that_is_known_is_not_made_again():
    clock = FakeClock()
    comparison = run({"a": FakeSampler(clock, 1e-3)}, clock, first_calls={"a": 7.0})
    assert comparison.timings["a"].first_call_s == 7.0


def test_slow_and_fast_together_all_get_their_rounds():
    clock = FakeClock()
    samplers = {"slow": FakeSampler(clock, 0.5), "fast": FakeSampler(clock, 1e-6), "middle": FakeSampler(clock, 1e-3)}
    timings = run(samplers, clock).timings
    assert (timings["slow"].calls, len(timings["slow"].samples)) == (1, ROUNDS_AT_LEAST)
    assert len(timings["fast"].samples) >= ROUNDS_WANTED
    assert len(timings["middle"].samples) >= ROUNDS_WANTED


@pytest.mark.parametrize("call_s", [1e-8, 1e-5, 1e-2, 0.3, 2.0, 20.0])
def test_the_budget_is_kept_and_something_is_measured(call_s):
    clock = FakeClock()
    comparison = run({"a": FakeSampler(clock, call_s), "b": FakeSampler(clock, 1.2 * call_s)}, clock, budget_s=5.0)
    assert clock.time <= max(2 * 5.0, 2 * 2.2 * call_s + 1)  # the calls of first call and calibration are always made
    assert comparison.rounds >= (ROUNDS_AT_LEAST if call_s <= 0.3 else 1)
    assert comparison.timings["b"].median_s == pytest.approx(1.2 * call_s)


def test_one_that_raises_is_reported_and_the_others_go_on():
    clock = FakeClock()
    samplers = {
        "at once": FakeSampler(clock, 1e-3, error=ValueError("no"), error_at=1),
        "later": FakeSampler(clock, 1e-3, error=MemoryError(), error_at=12),
        "fine": FakeSampler(clock, 1e-3),
    }
    comparison = run(samplers, clock)
    assert comparison.timings["at once"].failure == "ValueError: no"
    assert comparison.timings["at once"].median_s is None
    assert comparison.timings["later"].failure == "MemoryError"
    assert comparison.timings["fine"].failure == "" and len(comparison.timings["fine"].samples) >= ROUNDS_WANTED
    assert comparison.ratio("fine", to="later") is None
    assert "ValueError: no" in str(comparison)


def test_all_failing_is_still_a_comparison():
    clock = FakeClock()
    comparison = run({"a": FakeSampler(clock, 1e-3, error=OSError("x"), error_at=1)}, clock)
    assert (comparison.rounds, comparison.noise_floor, comparison.fastest()) == (0, None, None)
    assert "OSError: x" in str(comparison)


@pytest.mark.parametrize("seconds", [float("nan"), -1.0, float("inf"), 0.0])
def test_a_sampler_that_returns_no_duration_is_out(seconds):
    class Odd:
        def sample(self, calls):
            return seconds

    clock = FakeClock()
    assert "ValueError" in run({"odd": Odd(), "fine": FakeSampler(clock, 1e-3)}, clock).timings["odd"].failure


def test_how_many_cores_each_keeps_busy_is_told():
    """Threads of its own making are under no library's limit: the CPU's time tells."""
    clock = FakeClock()

    class InAnotherProcess(FakeSampler):
        cpu = 0.0

        def sample(self, calls):
            seconds = super().sample(calls)
            self.cpu += 3 * seconds
            return seconds

        def busy(self):
            return self.cpu

    samplers = {
        "one": FakeSampler(clock, 1e-3),
        "two": FakeSampler(clock, 1e-3, cores=2.0),
        "three": InAnotherProcess(clock, 1e-3),
    }
    timings = run(samplers, clock).timings
    for cores, name in enumerate(samplers, start=1):
        assert timings[name].busy_cores == pytest.approx(cores)


def test_nobody_always_runs_first():
    clock, log = FakeClock(), []
    samplers = {name: FakeSampler(clock, 1e-3, name=name, log=log) for name in "abc"}
    run(samplers, clock)
    timed = [name for name, calls in log if calls > 1][-100:]
    followers = {pair for pair in pairwise(timed) if pair[0] != pair[1]}
    assert len(followers) == 6  # each comes directly after each


def test_a_tiny_race_is_a_race():
    found = compare({"a": lambda: sum(range(50)), "b": lambda: sum(range(60))}, budget_s=0.3)
    assert found.rounds >= ROUNDS_AT_LEAST
    assert all(len(found.timings[name].samples) >= ROUNDS_AT_LEAST for name in "ab")


def test_the_same_seed_gives_the_same_order():
    def names(seed):
        clock, log = FakeClock(), []
        run({name: FakeSampler(clock, 1e-3, name=name, log=log) for name in "abc"}, clock, seed=seed)
        return log

    assert names(1) == names(1) != names(2)


def test_progress_ends_with_one_and_never_goes_back():
    clock, parts = FakeClock(), []
    run({"a": FakeSampler(clock, 1e-3)}, clock, progress=parts.append)
    assert parts == sorted(parts) and parts[-1] == 1.0 and len(parts) > 10


def test_functions_get_the_inputs_and_no_collection_interrupts_them():
    seen = []

    def look(x, y):
        seen.append((x, y, gc.isenabled()))

    def broken(x, y):
        raise ValueError

    assert gc.isenabled()
    comparison = compare({"look": look, "broken": broken}, 1, 2, budget_s=0.02)
    assert set(seen) == {(1, 2, False)}
    assert gc.isenabled()
    assert comparison.timings["broken"].failure == "ValueError"


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        compare({"nothing": lambda: None}, budget_s=0.01)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_real_sleeps_come_out_in_their_order():
    comparison = compare({"long": lambda: time.sleep(0.02), "short": lambda: time.sleep(0.001)}, budget_s=0.5)
    assert comparison.fastest() == "short"
    assert comparison.ratio("short", to="long").ci95[0] > 1


@pytest.mark.parametrize(("functions", "budget_s"), [({}, 1.0), ({"a": print}, 0.0), ({"a": print}, float("nan"))])
def test_senseless_races_are_refused(functions, budget_s):
    with pytest.raises(ValueError):
        compare(functions, budget_s=budget_s)


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ({"budget_s": "3"}, TypeError, "budget_s takes seconds, such as budget_s=5, not '3'"),
        ({"budget_s": None}, TypeError, "budget_s takes seconds"),
        ({"budget_s": True}, TypeError, "budget_s takes seconds"),
        ({"budget_s": math.nan}, ValueError, "no time"),
        ({"budget_s": math.inf}, ValueError, "would never end"),
        ({"seed": 1.5}, TypeError, "seed takes a whole number"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"progress": 3}, TypeError, "progress takes a function"),
        ({"first_calls": [1.0]}, TypeError, "first_calls takes seconds by name"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_called(arguments, kind, said):
    def untouched():
        raise AssertionError("it was called")

    with pytest.raises(kind, match=re.escape(said)):
        compare({"f": untouched}, **arguments)


def test_what_is_timed_beside_is_in_every_round_and_ranks_nowhere():
    """It is the fastest, and yet neither raced under a second name nor the one that all others are held against."""
    clock = FakeClock()
    samplers = {"a": FakeSampler(clock, 1e-3, noise=0.05), "slow": FakeSampler(clock, 0.4, seed=1)}
    beside = {"limit": FakeSampler(clock, 5e-4, noise=0.05, seed=2)}
    comparison = race(samplers, 5.0, 0, lambda part: None, {}, clock, beside=beside)
    assert list(comparison.timings) == ["a", "slow"] and comparison.fastest() == "a"
    assert len(comparison.beside["limit"].samples) == len(comparison.timings["a"].samples) == comparison.rounds
    assert len(comparison.timings["slow"].samples) < comparison.rounds
    ratio = comparison.ratio("a", to="limit")
    assert ratio.ci95[0] <= 0.5 <= ratio.ci95[1]
    assert comparison.beside["limit"].isolated == ()
    assert Comparison.from_dict(json.loads(json.dumps(comparison.to_dict()))) == comparison


def test_one_beside_that_fails_takes_nobody_down():
    class Failing(FakeSampler):
        def sample(self, calls):
            raise ValueError("the limit fell")

    clock = FakeClock()
    beside = {"limit": Failing(clock, 1e-3)}
    comparison = race({"a": FakeSampler(clock, 1e-3)}, 1.0, 0, lambda part: None, {}, clock, beside=beside)
    assert len(comparison.timings["a"].samples) > 3
    assert comparison.ratio("a", to="limit") is None


def test_the_budget_pays_for_what_is_timed_beside():
    def spent(beside_s):
        clock = FakeClock()
        beside = {str(i): FakeSampler(clock, beside_s) for i in range(3)}
        race({"a": FakeSampler(clock, 1e-3)}, 2.0, 0, lambda part: None, {}, clock, beside=beside)
        return clock.time

    assert spent(0.02) < 2.5 and spent(0.05) < 2.5


def test_where_there_is_no_time_for_both_those_beside_sit_out():
    clock = FakeClock()
    samplers = {"a": FakeSampler(clock, 0.2), "b": FakeSampler(clock, 0.2)}
    comparison = race(samplers, 2.0, 0, lambda part: None, {}, clock, beside={"limit": FakeSampler(clock, 0.9)})
    assert comparison.rounds >= 2
    assert len(comparison.beside["limit"].samples) < comparison.rounds
