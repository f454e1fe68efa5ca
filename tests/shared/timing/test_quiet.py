from __future__ import annotations

from exp_core.timing.fake import FakeClock
from exp_core.timing.quiet import LOOK_S, PATIENCE_S, rest


def test_a_quiet_process_is_looked_at_twice():
    clock = FakeClock()
    assert rest(clock) == 2 * LOOK_S


def test_spinning_threads_are_waited_for():
    clock = FakeClock()
    clock.spinning_s = 0.1
    assert rest(clock) >= 0.1
    assert clock.spinning_s == 0


def test_threads_that_never_rest_do_not_hold_up_the_race():
    clock = FakeClock()
    clock.spinning_s = 1e9
    assert rest(clock) <= PATIENCE_S + 2 * LOOK_S
