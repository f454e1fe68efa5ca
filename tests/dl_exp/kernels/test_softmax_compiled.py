"""Softmax row by row on a processor: rows of every length, threads, rows with NaN, stores past the caches."""

from __future__ import annotations

import numpy as np
import pytest
from assembly import host_width, vector_width

from dl_exp.kernels import _softmax_compiled as compiled
from dl_exp.kernels._softmax_laws import BOUND_IN_LANES, LAWS, exact
from dl_exp.kernels.softmax import large, scores
from exp_core.machine import thread_limit

numba = pytest.importorskip("numba", reason="a compiled rung")


def holds(p, x):
    truth = exact(x)
    return all(law(p, x, truth) <= BOUND_IN_LANES[name](x) for name, law in LAWS.items())


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 63, 64, 65, 127, 128, 129, 1000])
def test_rows_of_every_length(n):
    """The largest score at each place in turn: in a whole part of the row, and in what is left of it."""
    (x,) = scores(min(n, 40) + 1, n, dtype="float32", rng=np.random.default_rng(n))
    x[np.arange(len(x)), np.linspace(0, n - 1, len(x)).astype(int)] = 90
    assert holds(compiled.row_by_row(x), x)
    (x,) = large(3, n, dtype="float32", rng=np.random.default_rng(n))
    assert holds(compiled.row_by_row(x), x)


def test_any_score_will_do_but_a_small_one():
    """Sabotage: shifted by another one than the largest, the powers overflow, and the laws see it."""
    (x,) = large(2, 100, dtype="float32", rng=np.random.default_rng(0))
    with np.errstate(over="ignore", invalid="ignore"):
        powers = np.exp(x)
        assert not holds(powers / powers.sum(axis=-1, keepdims=True), x)


@pytest.mark.parametrize("place", [0, 70, 99])
def test_a_row_with_a_nan_is_nan_and_its_neighbours_are_not(place):
    (x,) = scores(3, 100, dtype="float32", rng=np.random.default_rng(0))
    x[1, place] = np.nan
    p = compiled.row_by_row(x)
    assert np.isnan(p[1]).all() and holds(p[::2], x[::2])


def test_scores_of_minus_infinity_have_no_part():
    x = np.array([[0.0, -np.inf, 0.0, -np.inf]], np.float32)
    np.testing.assert_array_equal(compiled.row_by_row(x), [[0.5, 0, 0.5, 0]])
    assert np.isnan(compiled.row_by_row(np.full((1, 3), -np.inf, np.float32))).all()


@pytest.mark.parametrize("n", [1024, 1000])  # rows of whole lines, and others, which do not go there
def test_past_the_caches_the_bits_are_the_same(n, monkeypatch):
    (x,) = scores(67, n, dtype="float32", rng=np.random.default_rng(0))
    with thread_limit(1):
        plain = compiled.row_by_row(x)
    np.testing.assert_array_equal(compiled.row_by_row(x), plain)
    np.testing.assert_array_equal(compiled.row_by_row(np.asfortranarray(x)), plain)
    monkeypatch.setattr(compiled, "PAST_CACHES", 0)
    np.testing.assert_array_equal(compiled.row_by_row(x), plain)


@pytest.mark.parametrize("rows", [1, 2, 3, 40])
def test_no_row_takes_what_belongs_to_its_neighbours(rows, monkeypatch):
    """The maximum comes from the row before, the result is written by the row after; each thread's first and last."""
    x = np.random.default_rng(rows).standard_normal((rows, 512)).astype(np.float32)
    x *= 10.0 ** np.arange(rows)[:, None].clip(0, 30)  # a neighbour's maximum or sum would be off by powers of ten
    for past in (compiled.PAST_CACHES, 0):
        monkeypatch.setattr(compiled, "PAST_CACHES", past)
        assert holds(compiled.row_by_row(x), x)
        alone = np.concatenate([compiled.row_by_row(row[None]) for row in x])
        np.testing.assert_array_equal(compiled.row_by_row(x), alone)


def test_the_loops_are_vector_instructions():
    real = numba.float32
    assert vector_width(compiled._scaled, (real[::1], real[::1], real)) >= host_width()
