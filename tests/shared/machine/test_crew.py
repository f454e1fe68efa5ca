from __future__ import annotations

import threading

import pytest

from exp_core.machine.crew import Crew


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
