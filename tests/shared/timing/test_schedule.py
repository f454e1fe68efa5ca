from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from exp_core.timing.schedule import ROUNDS_AT_LEAST, order, who_goes_on


def test_every_second_round_is_the_one_before_it_backwards():
    for round_ in range(0, 20, 2):
        assert order("abcde", round_, seed=3) == order("abcde", round_ + 1, seed=3)[::-1]


CYCLE = {1: 2, 2: 2, 3: 6, 4: 4, 5: 10, 6: 6, 7: 14, 8: 8}


@pytest.mark.parametrize(("m", "rounds"), CYCLE.items())
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_over_a_cycle_all_is_balanced(m, rounds, seed):
    for start in (0, rounds, 2 * rounds):
        orders = [order(range(m), r, seed) for r in range(start, start + rounds)]
        places = Counter((name, place) for names in orders for place, name in enumerate(names))
        follows = Counter(pair for names in orders for pair in pairwise(names))
        assert all(sorted(names) == list(range(m)) for names in orders)
        assert set(places.values()) == {rounds // m} and len(places) == m * m
        assert len(follows) == m * (m - 1) and len(set(follows.values())) <= 1


def test_it_is_random():
    assert len({tuple(order("abcdef", r, seed)) for r in range(0, 12, 2) for seed in range(20)}) > 60
    firsts = Counter(order("ab", 0, seed)[0] for seed in range(200))
    assert 60 < firsts["a"] < 140


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


def test_they_keep_their_order_so_that_a_round_can_be_run_backwards():
    assert who_goes_on({"c": 0.3, "a": 0.1, "b": 0.2}, 30, left_s=5.0) == ["c", "a", "b"]


def test_all_go_on_where_there_is_time():
    assert set(who_goes_on({"slow": 0.2, "a": 0.01, "b": 0.02}, 3, left_s=5.0)) == {"slow", "a", "b"}


def test_where_all_are_slow_those_who_fit_go_on():
    assert who_goes_on({"a": 1.0, "b": 1.5, "c": 9.0}, 3, left_s=3.0) == ["a", "b"]


def test_one_that_costs_about_the_same_does_not_sit_out():
    assert who_goes_on({"a": 0.01, "b": 0.011, "slow": 0.1}, 3, left_s=0.25) == ["a", "b"]
    assert who_goes_on({"a": 0.01, "b": 0.011, "slow": 0.1}, 3, left_s=0.015) == ["a"]


def test_the_race_is_over_when_nobody_fits():
    assert who_goes_on({"a": 1.0}, 3, left_s=0.5) == []
    assert who_goes_on({}, 0, left_s=5.0) == []


def test_what_runs_beside_them_leaves_less_for_them():
    costs = {"fast": 0.01, "slow": 0.09}
    assert who_goes_on(costs, ROUNDS_AT_LEAST, 2.0) == ["fast", "slow"]
    assert who_goes_on(costs, ROUNDS_AT_LEAST, 2.0, beside_s=0.05) == ["fast"]
    assert who_goes_on(costs, 100, 0.05, beside_s=0.045) == [], "nobody goes on where there is no time for both"
