from __future__ import annotations

import pytest

from exp_core.timing.fake import FakeClock
from exp_core.timing.overhead import LEAST, Overhead, measure, overhead


class Ticking(FakeClock):
    """Each reading takes 50 ns."""

    def now(self):
        self.time += 5e-8
        return self.time


def test_the_reading_and_the_turns_are_taken_off():
    assert Overhead(5e-8, 5e-9).net(1.05e-6 + 5e-8, 10) == pytest.approx(1e-6)


def test_what_is_left_is_never_negative():
    for seconds in (0.0, 1e-9, 1e-6):
        assert Overhead(1e-7, 1e-8).net(seconds, 1000) == pytest.approx(LEAST * seconds)


def test_the_reading_of_the_clock_is_not_taken_for_the_loop():
    found = measure(Ticking())
    assert found.reading_s == pytest.approx(5e-8)
    assert found.turn_s == pytest.approx(0.0, abs=1e-15)


def test_here_both_are_small():
    assert overhead() is overhead()
    assert overhead().reading_s > 0 and overhead().turn_s > 0
