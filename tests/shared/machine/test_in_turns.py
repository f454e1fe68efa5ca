"""What is raced beside the rows: it moves the bytes that it says, and tells the seconds that they take."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("numba", reason="the limit is compiled")

from exp_core.machine import Rate, pacemakers
from exp_core.machine.crew import Crew
from exp_core.machine.in_turns import LARGEST, STEPS, Pacemaker
from exp_core.machine.measure import OPERATIONS, SMALLEST, the_kernels
from exp_core.timing import Sampler, compare


@pytest.mark.parametrize("threads", [1, 2])
def test_working_sets_that_differ_little_share_a_rate(threads):
    sizes = np.geomspace(SMALLEST * threads, LARGEST, 60)
    for size in sizes:
        found = Rate.of_memory(True, size, threads).working_set
        assert size / 2 ** (1 / STEPS) <= found * (1 + 1e-12) and found <= size * (1 + 1e-12)
    smallest, largest = (Rate.of_memory(False, size, threads).working_set for size in (1.0, 1e15))
    assert smallest >= SMALLEST * threads / 2 ** (1 / STEPS) and largest == LARGEST
    kinds = [Rate.of_memory(writes, 1e6, threads).what for writes in (False, True, None)]
    assert kinds == ["read", "write", "any"]


class Counting:
    """A crew of one, whose task takes as long as it is told."""

    threads = 2

    def __init__(self, rate):
        self.told, self.asked = rate, []

    def rate(self, tasks, repeats, margin):
        self.asked.append(repeats)
        return self.told


def test_a_sample_is_the_time_of_so_many_units_at_the_rate_of_all_threads():
    crew = Counting(rate=1000.0)  # passes a second, of both threads together
    maker = Pacemaker(crew, [], unit=512.0, amount=1024.0)
    assert maker.sample(10) == pytest.approx(10 * 1024 / 512 / 1000)
    assert crew.asked == [10], "two passes a unit, one for each thread"
    assert isinstance(maker, Sampler)
    assert maker.sample(0) == 0
    crew.told = 0.0
    assert math.isinf(maker.sample(1)), "a clock that does not move makes no sample that the race would take"


def test_every_way_does_its_work_as_often_as_it_is_told_and_counts_it():
    """What LLVM could leave out is seen in the numbers; what is counted is what STREAM would count."""
    kernels = the_kernels()
    assert set(kernels.WAYS) == set(OPERATIONS)
    for name, moved in (("copy", 1), ("triad", 1), ("in_place", 2), ("read", 1)):
        for way in kernels.WAYS[name]:
            x = np.arange(1.0, 6 * 64 + 1)
            before = x.copy()
            way.kernel(x, 3)
            assert way.bytes_of(x.size) == moved * x.nbytes
            n = x.size // way.parts
            expected = {
                "copy": before[n:],
                "triad": before[n : 2 * n] + 0.5 * before[2 * n :] if name == "triad" else None,
                "in_place": -before,
                "read": before,
            }[name]
            assert np.array_equal(x[: len(expected)], expected), name


def test_rates_are_raced_beside_functions_and_rank_nowhere():
    rates = [Rate("read", 2.0**20), Rate("write", 2.0**20), Rate("any", 2.0**18), Rate("float64"), Rate("float32")]
    with pacemakers(rates, 1) as beside:
        assert set(beside) == {rate.name for rate in rates}
        race = compare({"sum": np.sum}, np.ones(2**17), budget_s=0.6, beside=beside)
    assert list(race.timings) == ["sum"] and race.fastest() == "sum"
    for rate in rates:
        assert 0 < race.ratio("sum", rate.name).value < 1e6
        assert len(race.beside[rate.name].samples) >= len(race.timings["sum"].samples), "as long as anybody goes on"


def test_a_thread_that_waits_for_others_who_never_come_does_not_hold_up_the_end():
    with Crew(2) as crew:
        lonely = crew._pool.submit(crew._start.wait)
    assert lonely.exception() is not None
