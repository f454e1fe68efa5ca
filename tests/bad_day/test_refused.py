"""What fuzzing and trying by hand have found, kept: each was a traceback, or hung, and is one sentence now."""

from __future__ import annotations

import pytest
from bad_day.command_lines import PROGRAMS, lay_out
from bad_day.tame import tame
from bad_day.test_fuzz import run

MATHS, DL = PROGRAMS
LONG = "x" * 300
FOUND = (
    (MATHS, f"summation --json {LONG}", "too long"),
    (MATHS, "summation --json a\0b", "takes the name of a file"),
    (MATHS, "summation --json a\ud800b", "no such characters"),
    (MATHS, "summation --n (-8)**0.5", "takes a number"),
    (MATHS, "summation --seed 0**-1", "takes a whole number"),
    (MATHS, "history --import a\0b", "null"),
    (MATHS, "compare #99999999999999999999 1", "no run"),
    (MATHS, "book a\0b", "no folder can be called"),
    (MATHS, f"book {LONG}", "cannot be used: File name too long"),
    (MATHS, "book a\ud800b", "no folder can be called"),
    (MATHS, "new a/b --package a\0b", "no folder can be called"),
    (MATHS, "mandelbrot --problem whole --iterations 1e18", "counts are int32"),
    (MATHS, "quadrature --members 1e18", "makes an input of"),
    (MATHS, "minimise --n 1e15", "makes an input of"),
    (DL, "autograd --steps 2 --checkpoint a\0b", "takes a folder or a checkpoint"),
    (DL, "autograd --steps 2 --batch 2**60", "does not fit"),
    (DL, "mlp --steps 2 --hidden 2**60", "smaller sizes"),
)


@pytest.fixture
def playground(tmp_path, monkeypatch):
    """A folder with the files that the lines name, and little work."""
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXP_CORE_DATA", str(tmp_path / "data"))
    tame(monkeypatch)


@pytest.mark.parametrize(("program", "line", "words"), FOUND, ids=lambda value: ascii(value)[:40])
def test_what_was_found_is_one_sentence(program, line, words, playground):
    outcome = run(program, line.split(" "))
    assert not outcome.wrong, outcome
    assert outcome.code == 2
    assert words in outcome.err, outcome.err


def test_a_function_may_have_more_time_than_a_timer_counts(playground):
    outcome = run(MATHS, ["mandelbrot", "--with", "mine.py:f", "--budget", "1e308"])
    assert not outcome.wrong, outcome
    assert "mine.py:f" in outcome.out
