"""--sweep: what is read, and what is refused in one sentence."""

import click
import pytest
import toys
from hypothesis import given
from hypothesis import strategies as st

from exp_core.cli.sweep import MOST_POINTS, read_axes, read_values
from exp_core.experiment import Problem, Size

N = Size("n", int, 64, "length")
TOLERANCE = Size("tolerance", float, 1e-3, "tolerance")
VECTOR = toys.EXPERIMENT.problems[0]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("64:512:x2", (64, 128, 256, 512)),
        ("64:500:x2", (64, 128, 256)),
        ("2**6:2**8:*2", (64, 128, 256)),
        ("64:256:+64", (64, 128, 192, 256)),
        ("50, 10,20,10", (10, 20, 50)),
        ("7", (7,)),
        ("5:5:x2", (5,)),
        ("4:8:x2**0.5", (4, 6, 8)),
        ("1:1_000_000:x10", (1, 10, 100, 1000, 10_000, 100_000, 1_000_000)),
        ("1:3:x1.1", (1, 2, 3)),
    ],
)
def test_values_are_read(text, values):
    assert read_values(N, text) == values
    assert all(isinstance(value, int) for value in read_values(N, text))


def test_real_sizes_may_be_real():
    assert read_values(TOLERANCE, "1e-6:1e-3:x10") == pytest.approx((1e-6, 1e-5, 1e-4, 1e-3))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("64:4096", "needs FROM:TO and a step"),
        ("64:4096:2", "needs FROM:TO and a step"),
        ("64::x2", "needs FROM:TO and a step"),
        ("4096:64:x2", "is empty"),
        ("64:4096:x1", "never arrives"),
        ("64:4096:x0.5", "never arrives"),
        ("64:4096:+0", "never arrives"),
        ("64:4096:+-64", "never arrives"),
        ("64:4096:+1.5", "whole number"),
        ("1:100000:+1", "more than 10,000 points"),
        ("1:2**62:x1.000001", "more than 10,000 points"),
        ("1.5:4:x2", "whole number"),
        ("0:4:x2", "at least 1"),
        ("one:4:x2", "takes a number"),
        ("64:4096:xtwo", "takes a number as its step"),
        ("1:2:x1/0", "takes a number as its step"),
        ("10,,20", "empty value"),
        ("", "empty value"),
        ("nan:3:x2", "takes a number"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(text, says):
    with pytest.raises(click.UsageError, match=says) as refusal:
        read_values(N, text)
    assert "\n" not in str(refusal.value)


@given(st.text(alphabet="0123456789:x+*,.-e n=", max_size=24))
def test_nothing_that_is_typed_is_a_traceback(text):
    try:
        values = read_values(N, text)
    except click.UsageError:
        return
    assert 1 <= len(values) <= max(MOST_POINTS + 1, len(text))
    assert list(values) == sorted(set(values))
    assert min(values) >= 1


def test_axes_by_several_options_or_semicolons():
    assert read_axes(["n=1:4:x2"], VECTOR, {}) == {"n": (1, 2, 4)}
    from typing import Annotated

    def plane(
        rows: Annotated[int, "rows"] = 4,
        cols: Annotated[int, "columns"] = 4,
        *,
        dtype: object = None,
        rng: object = None,
    ):
        return ()

    plane.__annotations__ = {"rows": Annotated[int, "rows"], "cols": Annotated[int, "columns"]}
    both = {"rows": (1, 2), "cols": (3, 4)}
    problem = Problem(plane)
    assert read_axes(["rows=1,2; cols=3,4"], problem, {}) == both
    assert read_axes(["rows=1,2", "cols=3:4:+1"], problem, {}) == both
    with pytest.raises(click.UsageError, match="more than 10,000 points"):
        read_axes(["rows=1:200:+1; cols=1:200:+1"], problem, {})


@pytest.mark.parametrize(
    ("texts", "given_", "says"),
    [
        (["m=1:4:x2"], {}, "no size of the problem vector is called 'm'"),
        (["n=1,2", "n=3,4"], {}, "names n twice"),
        (["1:4:x2"], {}, "--sweep takes n=64:4096:x2"),
        ([" ; "], {}, "--sweep takes n=64:4096:x2"),
        (["n=1:4:x2"], {"size_n": 7}, "choose one"),
    ],
)
def test_axes_that_cannot_be_meant_are_refused(texts, given_, says):
    with pytest.raises(click.UsageError, match=says):
        read_axes(texts, VECTOR, given_)
