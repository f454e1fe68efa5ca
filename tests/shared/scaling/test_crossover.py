"""Crossovers: where two laws are known to meet, and where nobody can tell."""

import math

import numpy as np
import pytest

from exp_core.scaling import Times, crossovers

N = [2.0**k for k in range(4, 11)]


def times(name, law, error=0.02, rng=None):
    t = {n: law(n) * (math.exp(error / 2 * rng.standard_normal()) if rng else 1) for n in N}
    return Times(name, t, {n: (s * math.exp(-error), s * math.exp(error)) for n, s in t.items()})


def test_two_powers_meet_where_algebra_says():
    (found,) = crossovers([times("square", lambda n: n * n), times("line", lambda n: 90 * n)])
    assert (found.faster, found.slower, found.between) == ("line", "square", (64.0, 128.0))
    assert found.at == pytest.approx(90, rel=1e-9)
    assert found.ci95[0] < 90 < found.ci95[1]
    assert found.overall


def test_the_interval_covers_the_truth():
    """Of 100, fewer than 86 would be seen once in 10,000 times."""
    rng = np.random.default_rng(0)
    inside = 0
    for seed in range(100):
        pair = [times("square", lambda n: n * n, 0.1, rng), times("line", lambda n: 90 * n, 0.1, rng)]
        (found,) = crossovers(pair, seed=seed)
        inside += found.ci95[0] <= 90 <= found.ci95[1]
    assert inside >= 86


def test_ties_cross_nowhere_and_the_noise_floor_counts():
    a, b = times("a", lambda n: n, 0.1), times("b", lambda n: n * (1.01 if n > 100 else 0.99), 0.1)
    assert crossovers([a, b]) == ()
    sharp = [times("a", lambda n: n, 1e-4), times("b", lambda n: n * (1.01 if n > 100 else 0.99), 1e-4)]
    assert len(crossovers(sharp)) == 1
    assert crossovers(sharp, dict.fromkeys(N, 0.05)) == ()


def test_only_sizes_that_both_ran_at_are_compared():
    late = Times("late", {2048.0: 1.0}, {})
    assert crossovers([times("a", lambda n: n), late]) == ()


def test_who_does_not_lead_is_not_marked():
    three = [times("a", lambda n: n * n), times("b", lambda n: 90 * n), times("best", lambda n: 1e-3 * n)]
    assert [c.overall for c in crossovers(three)] == [False]
