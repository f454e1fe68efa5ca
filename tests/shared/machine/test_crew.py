from __future__ import annotations

import os
import threading
import time

import pytest

from exp_core.affinity import processors
from exp_core.machine.crew import Crew, rate_of_all


def test_each_task_is_made_in_a_thread_of_its_own():
    with Crew(3) as crew:
        assert len(set(crew.each(threading.get_ident))) == 3


def test_every_thread_does_its_task_and_the_rate_is_that_of_all():
    done = []
    with Crew(2) as crew:
        tasks = [lambda repeats, i=i: done.append((i, repeats)) for i in range(2)]
        assert crew.rate(tasks, 10) > 0
    assert sorted(done) == [(0, 5), (0, 5), (0, 10), (1, 5), (1, 5), (1, 10)]


def test_a_task_that_fails_is_an_error_and_not_a_deadlock():
    def broken(repeats):
        raise MemoryError

    with Crew(1) as crew, pytest.raises(MemoryError):
        crew.rate([broken], 1)


def test_threads_that_took_turns_were_not_twice_as_fast():
    """Each did ten units in a second of its own: 20 a second at the same time, 10 one after the other."""
    assert rate_of_all(10, [(0.0, 1.0), (0.0, 1.0)]) == 20
    assert rate_of_all(10, [(0.0, 1.0), (1.0, 2.0)]) == 10
    assert rate_of_all(10, [(0.0, 1.0), (0.02, 1.02)]) == 20  # a little late: within its margin the first is still busy
    assert rate_of_all(10, [(0.5, 1.5), (0.0, 1.0)]) == 20 / 1.5
    assert rate_of_all(10, [(0.0, 1.0)]) == 10
    assert rate_of_all(10, [(0.0, 1.0), (0.0, 4.0)]) == 5  # one of them was held up in the middle
    assert rate_of_all(10, [(0.0, 0.0), (0.0, 1.0)]) == 0  # the clock stood still


def test_a_thread_that_comes_late_is_seen():
    """The second begins when the first has ended: each alone makes 100 units a second, and both together no more."""
    ended = threading.Event()
    calls = []

    def first(repeats):
        time.sleep(0.01 * repeats)
        calls.append(repeats)
        if len(calls) == 3:
            ended.set()

    def second(repeats):
        ended.wait()
        time.sleep(0.01 * repeats)

    with Crew(2) as crew:
        assert crew.rate([first, second], 2) <= 100


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not tell which processors there are")
def test_each_of_as_many_threads_as_processors_has_its_own():
    bound = processors()
    with Crew(len(bound)) as crew:
        settled = crew.each(lambda: os.sched_getaffinity(0))
    assert sorted(map(list, settled)) == [[one] for one in bound]
    assert processors() == bound, "the others stay as they were"
    with Crew(len(bound) + 1) as crew:
        assert crew.each(lambda: sorted(os.sched_getaffinity(0))) == (len(bound) + 1) * [bound]
