from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from exp_core.report.html import ladder_css
from exp_core.timing import Comparison, Ratio, Timing, seconds_text
from exp_core.timing.shown import as_text, notes


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
    lines = as_text(comparison, 120).splitlines()
    assert len(lines) == 6  # headings, three rows, two notes
    assert lines[1].index("1 ms") - lines[2].index("2 ms") == 0
    assert all(line == line.rstrip() for line in lines)
    assert "fastest" in lines[1] and "slower" in lines[2] and "failed" in lines[3]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_it_fits_the_terminal(comparison, width):
    lines = as_text(comparison, width).splitlines()
    assert max(map(len, lines)) <= width
    assert "1 ms" in lines[1] and "slower" in lines[2]  # what matters most is there in all


def test_a_long_name_is_cut_where_it_must_be():
    long = "a_name_of_forty_letters_and_then_some_more"
    timings = {long: timing(long, [1e-3] * 8), "b": timing("b", [2e-3] * 8)}
    text = as_text(Comparison(timings, 0.01, 8, 0), 40)
    assert max(map(len, text.splitlines())) <= 40 and "…" in text
    assert long in as_text(Comparison(timings, 0.01, 8, 0), 200)


def test_html_is_escaped(comparison):
    html = comparison._repr_html_()
    assert "&lt;b&gt;fast" in html and "<b>" not in html and "<x>" not in html


def test_html_has_the_ladder_s_look(comparison):
    html = comparison._repr_html_()
    assert html.startswith('<div class="exp-ladder"><style>') and ladder_css() in html
    assert html.count("<li>") == len(notes(comparison))


def test_a_gap_is_ranked_only_above_the_floor_and_clear_of_one(comparison):
    assert comparison.ranked(Ratio(1.5, (1.4, 1.6)))
    assert not comparison.ranked(Ratio(1.5, (0.9, 1.6)))
    assert not comparison.ranked(Ratio(1.005, (1.004, 1.006)))
    assert not comparison.ranked(Ratio(0.995, (0.994, 0.996)))


def test_values_are_frozen(comparison):
    with pytest.raises(dataclasses.FrozenInstanceError):
        comparison.rounds = 9


def noisy(name, seconds, n, seed, **more):
    rng = np.random.default_rng(seed)
    return Timing.of(name, 1.0, tuple(seconds * np.exp(0.01 * rng.standard_normal(n))), 10, "", 0, **more)


def test_verdicts():
    timings = [noisy("a", 1e-3, 40, 1), noisy("same", 1e-3, 40, 2), noisy("b", 1.2e-3, 40, 3), timing("x", [], "E")]
    found = Comparison.of(timings, 0, tuple(0.001 * np.random.default_rng(0).standard_normal(40)), None)
    assert (found.verdict("a", to="b"), found.verdict("b", to="a")) == ("faster", "slower")
    assert found.verdict("a", to="same") == found.verdict("a", to="a") == "equivalent"
    assert found.verdict("a", to="same", within=1e-6) == found.verdict("a", to="x") == "undecided"
    with pytest.raises(KeyError):
        found.verdict("a", to="nobody")
    with pytest.raises(ValueError, match="means nothing"):
        found.verdict("a", to="b", within=-1.0)


def test_a_race_of_ten_equals_has_a_false_verdict_once_in_twenty_at_most():
    false = 0
    for seed in range(100):
        timings = [noisy(str(i), 1e-3, 20, 10 * seed + i) for i in range(10)]
        found = Comparison.of(timings, 0, (1e-9,) * 20, None)  # a floor of nothing: the correction alone must do it
        best = found.fastest()
        false += any(found.verdict(t.name, to=best) == "slower" for t in timings)
    assert false <= 9  # of 100 at 5%: more happens three times in 100


def test_after_how_many_calls_a_compilation_has_paid():
    timings = {
        "jit": Timing("jit", 2.0, 1e-3, None, (1e-3,), 1),
        "plain": Timing("plain", 5e-3, 5e-3, None, (5e-3,), 1),
        "slow": Timing("slow", 3.0, 6e-3, None, (6e-3,), 1),
        "bad": Timing("bad", None, None, None, (), 1, "E"),
    }
    found = Comparison(timings, 0.0, 1, 0)
    n = found.pays_off_after("jit", against="plain")
    assert 2.0 + (n - 1) * 1e-3 <= 5e-3 + (n - 1) * 5e-3
    assert 2.0 + (n - 2) * 1e-3 > 5e-3 + (n - 2) * 5e-3
    assert found.pays_off_after("plain", against="slow") == 1
    assert found.pays_off_after("plain", against="jit") is None
    assert found.pays_off_after("jit", against="bad") is None
    assert found.pays_off_after("jit", against="jit") is None


def test_json_holds_all_of_it():
    timings = [noisy("a", 1e-3, 9, 1, groups=(5, 4), isolated=(1e-3, 2e-3), warm_up_calls=7), timing("x", [], "E: <&>")]
    found = Comparison.of(timings, 3, (0.01, -0.02, 0.005), 0.25, (2, 1))
    assert Comparison.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False))) == found


def test_races_in_fresh_processes_are_pooled():
    shifts = (1.0, 1.03, 0.97, 1.01)
    races = [
        Comparison.of(
            [noisy("a", 1e-3 * s, 12, i), noisy("b", 1.1e-3 * s, 10 + i, 9 + i)], 0, (0.01, -0.01) * 4, 0.1 * i
        )
        for i, s in enumerate(shifts)
    ]
    pooled = Comparison.pooled(races)
    assert pooled.timings["b"].groups == (10, 11, 12, 13) and pooled.timings["a"].groups == (12,) * 4
    assert pooled.timings["a"].samples == sum((r.timings["a"].samples for r in races), ())
    assert pooled.ratio("a", to="b").value == pytest.approx(1.1, rel=0.01)
    assert pooled.verdict("a", to="b") == "faster"
    assert pooled.foreign_cores == pytest.approx(0.15)
    low, high = pooled.timings["a"].ci95
    assert low < 0.99e-3 and high > 1.01e-3  # wider than any one process would have it
    again = Comparison.pooled([pooled, races[0]])  # what is pooled can be pooled again
    assert again.timings["a"].groups == (12,) * 5
    assert Comparison.from_dict(json.loads(json.dumps(again.to_dict()))) == again


def test_only_races_of_the_same_are_pooled():
    one, other = Comparison.of([timing("a", [1.0])], 0, (), None), Comparison.of([timing("b", [1.0])], 0, (), None)
    for races in ([], [one, other]):
        with pytest.raises(ValueError):
            Comparison.pooled(races)


def test_one_that_failed_in_one_process_has_failed():
    races = [
        Comparison.of([timing("a", s, f), timing("b", [2.0] * 8)], 0, (), None) for s, f in [([1.0] * 8, ""), ([], "E")]
    ]
    pooled = Comparison.pooled(races)
    assert pooled.timings["a"].failure == "E" and len(pooled.timings["a"].samples) == 8
    assert pooled.ratio("a", to="b") is None and str(pooled)


def test_neighbours_and_disagreements_are_said():
    alone = noisy("a", 1e-3, 20, 1, isolated=(2e-3, 2.01e-3, 1.99e-3, 2e-3) * 2)
    same = noisy("b", 1e-3, 20, 2, isolated=(1.005e-3, 0.995e-3, 1e-3, 1.001e-3) * 2)
    found = Comparison.of([alone, same], 0, (0.01, -0.01) * 10, 0.4)
    assert found.disagreements == ("a",)
    assert alone.isolated_s == pytest.approx(2e-3)
    assert "a takes 2 ms alone" in str(found) and "0.40 cores" in str(found)
    quiet = Comparison.of([same], 0, (0.01, -0.01) * 10, 0.01)
    assert "cores" not in str(quiet) and "alone" not in str(quiet)


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


def test_one_round_has_no_interval_and_ranks_nobody():
    found = Comparison.of([timing("a", [1.0]), timing("b", [3.0])], 0, (0.0,), None)
    ratio = found.ratio("a", to="b")
    assert ratio.value == pytest.approx(3.0)
    assert (ratio.ci95, found.timings["a"].ci95, found.noise_floor) == (None, None, None)
    assert str(ratio) == "3 (a single round)"
    assert not found.ranked(ratio)
    assert found.verdict("a", to="b") == "undecided"
    assert "not known" in str(found)
    assert Comparison.from_dict(found.to_dict()) == found


def test_an_interval_from_femtoseconds_to_years_is_not_shown():
    wild = Comparison.of([timing("a", [1.0, 1.0, 1e6]), timing("b", [1.0, 1e6, 1.0])], 0, (0.1, 0.2, 0.3), None)
    assert str(wild).count("not known") == 2


def test_what_ran_beside_is_pooled_where_every_process_had_it():
    def race(unit_s, *names):
        return Comparison.of([timing("f", [2e-3] * 6)], 0, (), None, beside=[timing(n, [unit_s] * 6) for n in names])

    pooled = Comparison.pooled([race(1e-3, "limit", "other"), race(1.5e-3, "limit")])
    assert list(pooled.beside) == ["limit"]
    assert pooled.ratio("f", to="limit").value == pytest.approx((0.5 * 0.75) ** 0.5), "the processes weigh alike"
    with pytest.raises(KeyError):
        pooled.ratio("f", to="other")
    old = pooled.to_dict()
    del old["beside"]
    assert Comparison.from_dict(old).beside == {}
