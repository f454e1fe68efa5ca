"""Which sizes a search tries: from the smallest on, around powers of two, and down again."""

from typing import Annotated

import numpy as np

from exp_core import Problem
from exp_core.practise.sizes import onward, smaller, spread, steps, upward


def table(
    rows: Annotated[int, "rows"] = 1000,
    cols: Annotated[int, "columns"] = 50,
    tolerance: Annotated[float, "tolerance"] = 1e-6,
    *,
    dtype,
    rng,
):
    """A table."""
    return (np.zeros((rows, cols), dtype), tolerance)


PROBLEM = Problem(table, small={"rows": 20, "cols": 5}, awkward=({"rows": 1, "cols": 1}, {"rows": 67, "cols": 3}))


def test_upward_begins_with_one_and_holds_the_awkward_and_the_small_sizes():
    sizes = upward(PROBLEM)
    volumes = [s["rows"] * s["cols"] for s in sizes]
    assert sizes[0] == {"rows": 1, "cols": 1, "tolerance": 1e-6}
    assert volumes == sorted(volumes)
    assert {"rows": 20, "cols": 5, "tolerance": 1e-6} in sizes
    assert {"rows": 67, "cols": 3, "tolerance": 1e-6} in sizes
    assert {"rows": 20, "cols": 1, "tolerance": 1e-6} in sizes, "one size alone is small as well"
    assert len({tuple(s.items()) for s in sizes}) == len(sizes), "each once"


def test_steps_surround_every_power_of_two():
    assert steps(1) == [1]
    assert steps(20) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 20]
    assert {31, 32, 33, 63, 64, 65, 100} <= set(steps(100))


def test_onward_ends_with_the_sizes_of_the_ladder():
    sizes = list(onward(PROBLEM))
    assert sizes[-1] == {"rows": 1000, "cols": 50, "tolerance": 1e-6}
    assert all(s["rows"] % 2 for s in sizes[:-1])
    assert list(onward(Problem(table, small={}))) == [{"rows": 1000, "cols": 50, "tolerance": 1e-6}]


def test_smaller_lessens_one_whole_size_at_a_time():
    found = list(smaller({"rows": 5, "cols": 2, "tolerance": 0.5}, PROBLEM))
    assert found == [
        {"rows": 1, "cols": 2, "tolerance": 0.5},
        {"rows": 2, "cols": 2, "tolerance": 0.5},
        {"rows": 4, "cols": 2, "tolerance": 0.5},
        {"rows": 3, "cols": 2, "tolerance": 0.5},
        {"rows": 5, "cols": 1, "tolerance": 0.5},
    ]
    assert not list(smaller({"rows": 1, "cols": 1, "tolerance": 0.5}, PROBLEM))


def test_spread_keeps_both_ends():
    sizes = [{"n": n} for n in range(20)]
    assert [s["n"] for s in spread(sizes, 3)] == [0, 9, 19]
    assert spread(sizes[:2], 3) == sizes[:2]
