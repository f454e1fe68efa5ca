"""What Fourier transforms are judged by: an oracle that is exact enough, bounds that bite, costs that count."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from counting import Tally, counted

from exp_core.tensor import unit_roundoff
from maths_exp.basics import _fft_exact as exactly
from maths_exp.basics import _fft_theory as theory
from maths_exp.basics._fft_exact import roots
from maths_exp.basics._fft_passes import radices
from maths_exp.basics.fft import EXPERIMENT, bit_reversed, complex_normal, exact, recursive, stockham, tones

DTYPES = pytest.mark.parametrize("dtype", EXPERIMENT.dtypes)
RUNGS = {each.name: each for each in EXPERIMENT.implementations}
needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="needs numba")


# --- what they are judged by ---


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 12, 61, 1000, 1009, 4096])
def test_roots_of_unity_to_twice_the_digits(n):
    """|w| = 1, w_j w_k = w_(j+k), and the corners exactly: all to 2**-100."""
    w = exactly.exact_roots(n)
    for part in (w[0].real, w[0].imag):
        assert set(part[np.abs(part) < 1e-9]) <= {0.0}
    norm = exactly.multiply(w, exactly.conjugate(w))
    assert np.abs((norm[0] - 1) + norm[1]).max() <= 2.0**-100
    step = exactly.multiply(w, tuple(part[1 % n] for part in w))
    next_one = tuple(np.roll(part, -1) for part in w)
    assert np.abs((step[0] - next_one[0]) + (step[1] - next_one[1])).max() <= 2.0**-100
    k = np.arange(n)[::-3]
    np.testing.assert_array_equal(exactly.exact_roots(n, k)[0], w[0][k])


@pytest.mark.parametrize("n", [1, 2, 3, 13, 64, 100, 127, 1024])
def test_the_oracle_inverts_itself_to_twice_the_digits(n):
    """In pairs, the form that every machine has: conj(F conj(F x)) = n x to 2**-90."""
    x = complex_normal(2, n, "complex128", np.random.default_rng(n))
    y = exactly.exact_in_pairs((x, np.zeros_like(x)))
    back = exactly.conjugate(exactly.exact_in_pairs(exactly.conjugate(y)))
    wanted = exactly.multiply((x, np.zeros_like(x)), (np.float64(n), 0.0))  # n x itself may need more than 53 bits
    assert np.abs((back[0] - wanted[0]) + (back[1] - wanted[1])).max() <= 2.0**-90 * n * np.abs(x).max()
    np.testing.assert_allclose(y[0], np.fft.fft(x), rtol=0, atol=1e-12 * np.sqrt(n))


@pytest.mark.parametrize("n", [61, 256])
def test_long_double_and_pairs_agree(n):
    """Where long double is wider than float64 the oracle uses it; it is the same number."""
    x = complex_normal(2, n, "complex128", np.random.default_rng(n))
    pairs, oracle = exactly.exact_in_pairs((x, np.zeros_like(x))), exact(x)
    assert np.linalg.norm((pairs[0] - oracle[0]) + (pairs[1] - oracle[1])) <= 2.0**-58 * np.linalg.norm(oracle[0])


def test_the_error_is_measured_below_rounding():
    """The true result, rounded, is wrong by at most u; and the law sees that it is wrong at all."""
    x = complex_normal(1, 64, "complex128", np.random.default_rng(0))
    truth = exact(x)
    error = EXPERIMENT.errors(truth[0], (x,), truth)["relative error"]
    assert 0 < error <= unit_roundoff("float64")


@DTYPES
def test_the_law_needs_no_scale(dtype):
    """Signals near the ends of the range have the same relative error: no square overflows."""
    x = complex_normal(1, 64, dtype, np.random.default_rng(0))
    for scale in (2.0**-90, 2.0**90):
        y = stockham((x * scale).astype(dtype), roots(64, dtype))
        error = EXPERIMENT.errors(y, (x * scale,), exact((x * scale).astype(dtype)))["relative error"]
        assert error <= theory.radix_bound(x)
    zero = np.zeros((1, 8), dtype)
    assert EXPERIMENT.errors(zero, (zero,), exact(zero))["relative error"] == 0


# --- a check must be able to fail ---


@DTYPES
@pytest.mark.parametrize("n", [64, 1024])
def test_one_wrong_weight_is_seen(n, dtype):
    """A single root of unity off by 64 times the bound, in one part, is above the bound; right ones are below."""
    x = complex_normal(1, n, dtype, np.random.default_rng(0))
    truth = exact(x)
    bound = theory.radix_bound(x)
    for method in (recursive, stockham):
        w = roots(n, dtype)
        assert EXPERIMENT.errors(method(x, w), (x,), truth)["relative error"] <= bound
        w[n // 8] += 64 * bound * np.sqrt(n)  # it stands in few of the products
        assert EXPERIMENT.errors(method(x, w), (x,), truth)["relative error"] > bound


@needs_numba
@pytest.mark.parametrize("place", [0, -1])
def test_one_wrong_weight_of_the_lanes_is_seen(place):
    x = complex_normal(1, 1024, "complex128", np.random.default_rng(0))
    _, plan = RUNGS["stockham_lanes"].prepare(x)
    plan[4][place] += 1e-12
    y = RUNGS["stockham_lanes"].function(x, plan)
    assert EXPERIMENT.errors(y, (x,), exact(x))["relative error"] > theory.two_level_bound(x)


def test_weights_by_repeated_multiplication_are_seen():
    """w**k by n products, the classical mistake, loses more than the theorem allows with good weights (Higham 24.1)."""
    n = 2**14
    x = complex_normal(1, n, "complex64", np.random.default_rng(0))
    w = np.cumprod(np.full(n, roots(n, "complex64")[1], "complex64")) / roots(n, "complex64")[1]
    truth, bound = exact(x), theory.radix_bound(x)
    assert EXPERIMENT.errors(stockham(x, w.astype("complex64")), (x,), truth)["relative error"] > bound
    assert EXPERIMENT.errors(stockham(x, roots(n, "complex64")), (x,), truth)["relative error"] <= bound


def test_unsorted_output_is_seen():
    x = complex_normal(1, 64, "complex128", np.random.default_rng(0))
    y = np.fft.fft(x)[:, bit_reversed(64)]
    assert EXPERIMENT.errors(y, (x,), exact(x))["relative error"] > 0.1


# --- theory ---


class CountedComplex:
    """A complex number of two counted reals: a product is 4 products and 2 additions, as the costs say."""

    def __init__(self, re, im):
        self.re, self.im = re, im

    def __add__(self, other):
        return CountedComplex(self.re + other.re, self.im + other.im)

    def __sub__(self, other):
        return CountedComplex(self.re - other.re, self.im - other.im)

    def __mul__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented
        re = self.re * other.re - self.im * other.im
        return CountedComplex(re, self.re * other.im + self.im * other.re)


def counted_complex(array, tally):
    re, im = counted(array.real, tally), counted(array.imag, tally)
    out = np.empty(array.shape, object)
    for place in np.ndindex(array.shape):
        out[place] = CountedComplex(re[place], im[place])
    return out


@pytest.mark.parametrize("name", ["recursive", "iterative", "stockham"])
@pytest.mark.parametrize("n", [2, 16, 64])
def test_the_cost_is_recounted(name, n):
    x, tally = np.ones((2, n), complex), Tally()
    RUNGS[name].function(counted_complex(x, tally), counted_complex(roots(n), tally))
    assert tally.flops == RUNGS[name].cost(x).flops


def test_more_levels_at_once_cost_less():
    """Radix 8 does fewer operations than radix 4, and that fewer than radix 2; the weights between levels aside."""
    for k in (12, 18):
        n = 1 << k
        assert theory.two_level_flops(n) - 12 * n < theory.radix4_flops(n) < theory.radix2_flops(n)


def test_the_enlargement_by_bluestein_is_small():
    for n in (2, 61, 1009):
        x = complex_normal(1, n, "complex128", np.random.default_rng(0))
        assert theory.bluestein_bound(x) < 40 * theory.radix_bound(np.ones((1, 2048), complex))


@pytest.mark.parametrize("k", range(3, 14))
def test_radices_multiply_to_the_length(k):
    assert np.prod(radices(k)) == 2**k


def test_prime_factors():
    assert [theory.prime_factors(n) for n in (1, 2, 12, 97, 1001)] == [[], [2], [2, 2, 3], [97], [7, 11, 13]]


def test_a_length_that_cannot_be_halved_is_refused_with_a_remedy():
    skip = RUNGS["stockham_lanes"].skip(np.ones((1, 1009), complex))
    assert "1009" in skip.reason
    assert "--n 512" in skip.remedy


def test_tones_stand_above_a_floor_of_rounding():
    """The spectrum of the tones problem: six lines, a thousand apart; the rest is rounding of the signal."""
    (x,) = tones(1024, dtype="complex128", rng=np.random.default_rng(0))
    lines = np.sort(np.abs(exact(x)[0][0]))[::-1] / 1024
    np.testing.assert_allclose(lines[:5], 1e-3 ** np.arange(5), rtol=1e-3)
    assert lines[6] < 1e-15
