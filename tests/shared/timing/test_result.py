from __future__ import annotations

import dataclasses

import pytest

from exp_core.timing import Comparison, Ratio, Timing, seconds_text


def timing(name, samples, failure=""):
    return Timing.of(name, 0.5, tuple(samples), 10, failure, seed=0)


@pytest.fixture
def comparison():
    timings = [timing("<b>fast</b>", [1e-3] * 8), timing("slow", [2e-3] * 8), timing("bad", [], "ValueError: <x>")]
    return Comparison({t.name: t for t in timings}, noise_floor=0.01, rounds=8, seed=0)


def test_a_ratio_above_one_means_that_the_first_name_is_faster(comparison):
    assert comparison.ratio("<b>fast</b>", to="slow").value == pytest.approx(2)
    assert comparison.ratio("slow", to="<b>fast</b>").value == pytest.approx(0.5)
    assert comparison.ratio("slow", to="slow") == Ratio(1.0, (1.0, 1.0))


def test_there_is_no_ratio_to_one_that_failed_and_a_wrong_name_is_an_error(comparison):
    assert comparison.ratio("slow", to="bad") is None
    with pytest.raises(KeyError):
        comparison.ratio("slow", to="nobody")


def test_the_table_is_aligned(comparison):
    lines = str(comparison).splitlines()
    assert len(lines) == 5
    assert lines[1].index("1 ms") - lines[2].index("2 ms") == 0
    assert all(line == line.rstrip() for line in lines)


def test_html_is_escaped(comparison):
    html = comparison._repr_html_()
    assert "&lt;b&gt;fast" in html and "<b>" not in html and "<x>" not in html


def test_a_gap_is_ranked_only_above_the_floor_and_clear_of_one(comparison):
    assert comparison.ranked(Ratio(1.5, (1.4, 1.6)))
    assert not comparison.ranked(Ratio(1.5, (0.9, 1.6)))
    assert not comparison.ranked(Ratio(1.005, (1.004, 1.006)))
    assert not comparison.ranked(Ratio(0.995, (0.994, 0.996)))


def test_values_are_frozen(comparison):
    with pytest.raises(dataclasses.FrozenInstanceError):
        comparison.rounds = 9


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0, "0 ns"),
        (3.2e-9, "3.2 ns"),
        (1.234e-6, "1.23 µs"),
        (0.0999, "99.9 ms"),
        (12.34, "12.3 s"),
        (12345.0, "12345 s"),
    ],
)
def test_seconds_are_written_with_a_fitting_unit(seconds, text):
    assert seconds_text(seconds) == text
