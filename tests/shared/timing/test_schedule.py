from __future__ import annotations

from collections import Counter

from exp_core.timing.schedule import ROUNDS_AT_LEAST, order, who_goes_on


def test_every_second_round_is_the_one_before_it_backwards():
    for round_ in range(0, 20, 2):
        assert order("abcde", round_, seed=3) == order("abcde", round_ + 1, seed=3)[::-1]


def test_everybody_stands_at_every_place_equally_often():
    places = Counter((name, place) for r in range(600) for place, name in enumerate(order("abc", r, seed=0)))
    assert all(150 <= count <= 250 for count in places.values())


def test_everybody_runs_before_everybody_else_equally_often():
    before = Counter()
    for round_ in range(20):
        a, b, c = order("abc", round_, seed=0)
        before.update([(a, b), (a, c), (b, c)])
    assert set(before.values()) == {10}


def test_at_first_all_go_on_whatever_it_costs():
    assert who_goes_on({"a": 1e9, "b": 1.0}, ROUNDS_AT_LEAST - 1, left_s=0.0) == ["a", "b"]


def test_the_slow_one_sits_out_where_the_others_would_starve():
    assert who_goes_on({"slow": 1.0, "a": 0.01, "b": 0.02}, 3, left_s=5.0) == ["a", "b"]


def test_all_go_on_where_there_is_time():
    assert set(who_goes_on({"slow": 0.2, "a": 0.01, "b": 0.02}, 3, left_s=5.0)) == {"slow", "a", "b"}


def test_where_all_are_slow_those_who_fit_go_on():
    assert who_goes_on({"a": 1.0, "b": 1.5, "c": 9.0}, 3, left_s=3.0) == ["a", "b"]


def test_the_race_is_over_when_nobody_fits():
    assert who_goes_on({"a": 1.0}, 3, left_s=0.5) == []
    assert who_goes_on({}, 0, left_s=5.0) == []
