from __future__ import annotations

from exp_core.timing import Deadline, Stopwatch, call_once
from exp_core.timing.clock import tick
from exp_core.timing.fake import FakeClock


def test_a_deadline_counts_down_to_zero_and_no_further():
    clock = FakeClock()
    deadline = Deadline(2.0, clock)
    assert deadline.left() == 2.0
    clock.time += 1.5
    assert deadline.left() == 0.5
    clock.time += 1.5
    assert (deadline.left(), deadline.elapsed()) == (0.0, 3.0)


def test_a_stopwatch_runs():
    clock = FakeClock()
    watch = Stopwatch(clock)
    clock.time += 0.25
    assert watch.elapsed() == 0.25


def test_call_once_returns_the_result_beside_the_time():
    result, seconds = call_once(divmod, 7, 2)
    assert result == (3, 1)
    assert seconds >= 0


def test_the_tick_is_the_smallest_step_that_the_clock_makes():
    class Coarse(FakeClock):
        def now(self):
            self.time += 0.4
            return float(int(self.time))

    assert tick(Coarse()) == 1.0
    assert tick(FakeClock()) == 0.0
