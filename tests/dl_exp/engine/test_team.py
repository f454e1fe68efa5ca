"""Threads that work together: each finds what the others have written, and nobody waits for one that is gone."""

import threading
import time

import numpy as np
import pytest

pytest.importorskip("numba", reason="teams run compiled functions")

from dl_exp.engine.team import meet, together
from exp_core.compiled import njit


@njit
def passed_on(part, meeting, parts, waited_for, told, rounds):
    """Every round, each tells twice what its right neighbour has told in the round before, and one."""
    for r in range(1, rounds):
        told[r, part] = 2 * told[r - 1, (part + 1) % parts] + 1
        meet(meeting, waited_for)


def ring(parts, rounds, waited_for=None, late=0.0):
    """The same from Python; the last part comes late."""
    told = np.zeros((rounds, parts), np.int64)
    told[0] = np.arange(parts)

    def work(part, meeting):
        if part == parts - 1:
            time.sleep(late)
        passed_on(part, meeting, parts, waited_for or parts, told, rounds)

    together(work, parts)
    return told


def right(parts, rounds):
    """One after the other."""
    told = [np.arange(parts)]
    for _ in range(1, rounds):
        told.append(2 * np.roll(told[-1], -1) + 1)
    return np.array(told)


@pytest.mark.parametrize("parts", [1, 2, 3, 5, 8])
def test_after_a_meeting_each_part_finds_what_the_others_have_written(parts):
    for rounds in (1, 2, 40):
        np.testing.assert_array_equal(ring(parts, rounds), right(parts, rounds))


def test_one_that_comes_late_is_waited_for():
    ring(2, 3)  # compiled, before anybody is late
    np.testing.assert_array_equal(ring(2, 20, late=0.05), right(2, 20))
    assert (ring(2, 20, waited_for=1, late=0.05) != right(2, 20)).any(), "nobody was late: the test sees nothing"


def test_results_are_in_order():
    assert together(lambda part, meeting: part * part, 5) == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("faulty", [0, 1, 2])
def test_nobody_waits_for_a_part_that_has_failed(faulty):
    told = np.zeros((3, 3), np.int64)

    def work(part, meeting):
        if part == faulty:
            raise ValueError(f"part {part}")
        passed_on(part, meeting, 3, 3, told, 3)

    with pytest.raises(ValueError, match=f"part {faulty}"):
        together(work, 3)
    np.testing.assert_array_equal(ring(3, 40), right(3, 40))


def test_ctrl_c_in_one_part_frees_the_others():
    told = np.zeros((3, 2), np.int64)

    def work(part, meeting):
        if part == 0:
            raise KeyboardInterrupt
        passed_on(part, meeting, 2, 2, told, 3)

    with pytest.raises(KeyboardInterrupt):
        together(work, 2)
    np.testing.assert_array_equal(ring(2, 40), right(2, 40))


def test_teams_of_several_threads_do_not_wait_for_each_other():
    found = []
    callers = [threading.Thread(target=lambda: found.append(ring(3, 200)), daemon=True) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert len(found) == 4
    assert all((told == right(3, 200)).all() for told in found)
