"""The pass over three rows: its exponential and its coefficients, and its three jobs at each length."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from dl_exp.kernels import _softmax_vectors as vectors
from dl_exp.kernels._softmax_vectors import three_rows, three_rows_past_caches
from exp_core.compiled import njit
from exp_core.vector.minimax import minimax

pytest.importorskip("numba", reason="a compiled rung")

U = 2.0**-24


@njit(cache=False)
def in_caches(x, m, powers, following, done, share, p):
    return three_rows(x, m, powers, following, done, share, p)


@njit(cache=False)
def past_caches(x, m, powers, following, done, share, p):
    return three_rows_past_caches(x, m, powers, following, done, share, p)


def padded(n):
    return np.zeros(-(-n // 16) * 16, np.float32)


def powers_of(d):
    powers, zero = padded(d.size), np.float32(0)
    in_caches(d, zero, powers, d, padded(d.size), zero, np.empty_like(d))
    return powers[: d.size]


def test_the_coefficients_are_these_and_no_others():
    log_2 = Decimal(2).ln()
    c, error = minimax(lambda r: (Decimal(2) ** r - 1) / r if r else log_2, -0.5, 0.5, len(vectors.POWER))
    assert tuple(float(np.float32(float(a))) for a in c) == vectors.POWER
    assert error < 2**-21 < 2 * error


def test_the_coefficients_err_by_what_the_bound_counts():
    """Rounded to float32, against 2^r itself, in units of u: 3.5."""
    r = np.linspace(-0.5, 0.5, 100_001)
    power = 1 + r * np.polyval(vectors.POWER[::-1], r)
    assert 3 < np.abs(power / 2.0**r - 1).max() / U < 3.5


def test_the_exponential_errs_by_no_more_than_it_says():
    """6 u, and 3 u |d| of the argument; a whole vector, 1009 in every power of two, and all that are near LOWEST."""
    d = -np.exp2(np.linspace(-30, np.log2(-vectors.LOWEST), 40_009)).astype(np.float32)
    edge = np.nextafter(np.float32(vectors.LOWEST), np.float32([0, -100] * 8)).astype(np.float32)
    d = np.concatenate([d, edge])
    d = d[d >= vectors.LOWEST]
    truth = np.exp(d.astype(np.float64))
    error = np.abs(powers_of(d) / truth - 1) / U
    assert (error <= 6 + 3 * np.abs(d)).all()
    assert (error > 1).any()  # it is not the exact one that is looked at


def test_ends_of_the_exponential():
    d = np.array([0, -0.0, vectors.LOWEST - 1e-4, -1e30, -np.inf, np.nan], np.float32)
    np.testing.assert_array_equal(powers_of(d), [1, 1, 0, 0, 0, np.nan])


@pytest.mark.parametrize("n", [1, 2, 7, 15, 16, 17, 31, 32, 33, 100, 1009])
@pytest.mark.parametrize("one_pass", [in_caches, past_caches])
def test_its_three_jobs_and_nothing_beyond_the_end(one_pass, n):
    if one_pass is past_caches:
        n = -(-n // 16) * 16  # whole lines
    rng = np.random.default_rng(n)
    x, following, done = (rng.standard_normal(n + 16).astype(np.float32) for _ in range(3))
    memory = np.full(n + 48, 7, np.float32)
    start = -memory.ctypes.data % 64 // 4
    p, powers = memory[start : start + n], padded(n)
    for place in {0, n // 2, n - 1}:
        ahead = following[:n] - np.float32(10)
        ahead[place] = -1
        total, largest = one_pass(x[:n], np.float32(3), powers, ahead, np.resize(done, powers.size), np.float32(0.5), p)
        assert largest == -1
    np.testing.assert_array_equal(p, np.float32(0.5) * done[:n])
    assert (np.delete(memory, np.arange(start, start + n)) == 7).all()
    expected = np.exp(x[:n].astype(np.float64) - 3)
    np.testing.assert_allclose(powers[:n], expected, rtol=40 * U)
    assert abs(total / expected.sum() - 1) <= (n / 4 + 2 + 40) * U


def test_a_maximum_survives_what_is_not_a_number():
    """It is some entry of the row: a bound for the others that are looked at after it."""
    following = np.arange(33, dtype=np.float32)
    following[[3, 32]] = np.nan
    _, largest = in_caches(
        following, np.float32(0), padded(33), following, padded(33), np.float32(1), np.empty(33, "f4")
    )
    assert largest in following
