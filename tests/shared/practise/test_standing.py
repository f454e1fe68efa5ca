"""Where the user's row stands: faster, slower, or too close to tell."""

from exp_core.practise.standing import standing
from exp_core.results import Result
from exp_core.row import Row


def result(mine, floor=0.05, **others):
    rungs = {"library": "library", "loop": "textbook", "fast": "compiled", "wrong": "compiled"}
    rows = [
        Row(name, rungs[name], status="wrong" if name == "wrong" else "ok", median_s=seconds)
        for name, seconds in others.items()
    ]
    rows.append(Row("mine.py:f", "yours", status="ok", median_s=mine))
    return Result("toy", "toys", "Toy", "vector", {}, "float64", 0, tuple(rows), noise_floor=floor)


def test_who_is_faster_is_named_with_the_command_that_shows_how():
    said = standing(result(1.0, loop=9.0, library=0.25, fast=0.05), "python -m toys")
    assert said == [
        "faster than 1 of 3",
        "library (library) is 4.0 times faster: what does it do differently?",
        "  python -m toys toy --source library",
        "fast (compiled) is 20 times faster: what does it do differently?",
        "  python -m toys toy --source fast",
    ]


def test_a_gap_within_the_noise_ranks_nobody():
    said = standing(result(1.0, loop=9.0, library=0.97), "python -m toys")
    assert said == ["faster than 1 of 2, as fast as library: nobody here is faster"]


def test_who_is_wrong_is_no_rival():
    assert standing(result(1.0, wrong=0.1, loop=2.0), "python -m toys") == ["faster than 1 of 1: nobody here is faster"]


def test_who_was_not_timed_stands_nowhere():
    assert standing(result(None, loop=2.0), "python -m toys") == []
    assert standing(result(1.0), "python -m toys") == []
