"""Fourier transforms: the laws of the transform itself, on every rung, in every order of memory, in threads."""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys

import numpy as np
import pytest

from exp_core.machine import thread_limit
from exp_core.tensor import unit_roundoff
from maths_exp.basics import _fft_theory as theory
from maths_exp.basics._fft_exact import roots
from maths_exp.basics.fft import EXPERIMENT, complex_normal, exact

HAS_NUMBA = importlib.util.find_spec("numba") is not None
DTYPES = pytest.mark.parametrize("dtype", EXPERIMENT.dtypes)
RUNGS = {each.name: each for each in EXPERIMENT.implementations}
every_rung = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.skipif(each.rung == "compiled" and not HAS_NUMBA, reason="needs numba"))
        for name, each in RUNGS.items()
    ],
)
needs_numba = pytest.mark.skipif(not HAS_NUMBA, reason="needs numba")
LENGTHS = (1, 2, 3, 4, 8, 13, 32, 61, 64, 128)


def transform(name, x):
    """The transform by one implementation; None where the length is not for it."""
    each = RUNGS[name]
    if each.skip and each.skip(x):
        return None
    return each.function(*(each.prepare(x) if each.prepare else (x,)))


def lengths(name, dtype, batch=2):
    """Some signals of every length that this implementation takes."""
    rng = np.random.default_rng(5)
    signals = [complex_normal(batch, n, dtype, rng) for n in LENGTHS]
    return [(x, y) for x in signals if (y := transform(name, x)) is not None]


def difference(y, z):
    """The largest difference, over the largest entry."""
    return np.abs(y - z).max() / np.abs(z).max()


def margin(name, x):
    """What two results within their bounds may differ by, entry by entry."""
    return 2 * RUNGS[name].bound(x) * np.sqrt(x.shape[-1])


# --- the subject's laws ---


@DTYPES
@every_rung
def test_an_impulse_is_a_constant_and_a_constant_an_impulse(name, dtype):
    """The first one exactly, but for Bluestein, which goes through chirps."""
    for n in (1, 2, 4, 8, 64, 256):
        impulse = np.zeros((2, n), dtype)
        impulse[:, 0] = 1
        y = transform(name, impulse)
        assert (y.dtype, y.shape) == (np.dtype(dtype), (2, n))
        if "bluestein" in name:
            assert difference(y, np.ones(n)) <= margin(name, impulse)
        else:
            np.testing.assert_array_equal(y, np.ones((2, n)))
        assert difference(transform(name, np.ones((2, n), dtype)), n * impulse) <= margin(name, impulse)


@DTYPES
@every_rung
def test_a_tone_has_one_line(name, dtype):
    """e^(2 pi i f j / n) goes to n at place f: the order of the result is right."""
    for n, f in ((8, 3), (64, 5), (128, 127), (13, 4)):
        tone = np.conj(roots(n, dtype))[None, f * np.arange(n) % n]
        if (y := transform(name, tone)) is not None:
            assert difference(y, n * np.eye(n)[f]) <= margin(name, tone) + unit_roundoff(dtype)


@DTYPES
@every_rung
def test_linear(name, dtype):
    for x, y in lengths(name, dtype):
        other = complex_normal(*x.shape, dtype, np.random.default_rng(6))
        whole = transform(name, (2 * x - 1j * other).astype(dtype))
        assert difference(whole, 2 * y - 1j * transform(name, other)) <= 4 * margin(name, x)


@DTYPES
@every_rung
def test_a_shift_turns_the_phases(name, dtype):
    for x, y in lengths(name, dtype):
        n = x.shape[-1]
        shifted = transform(name, np.roll(x, 3, axis=1))
        assert difference(shifted, y * roots(n)[3 * np.arange(n) % n]) <= 4 * margin(name, x)


@DTYPES
@every_rung
def test_parseval_and_inverse(name, dtype):
    """||y||^2 = n ||x||^2; and conj(F conj(F x)) = n x."""
    for x, y in lengths(name, dtype):
        n, bound = x.shape[-1], RUNGS[name].bound(x)
        energy = np.linalg.norm(y.astype(complex)) ** 2 / (n * np.linalg.norm(x.astype(complex)) ** 2)
        assert abs(energy - 1) <= 3 * bound + 1e-15
        back = np.conj(transform(name, np.conj(y))) / n
        assert difference(back, x) <= 4 * margin(name, x)


@DTYPES
@every_rung
def test_agrees_with_numpy(name, dtype):
    for x, y in lengths(name, dtype):
        assert difference(y, np.fft.fft(x.astype(complex))) <= margin(name, x) + 1e-14


@every_rung
def test_rows_do_not_mix_and_one_that_is_not_a_number_spoils_only_its_own(name):
    x = complex_normal(3, 64, "complex128", np.random.default_rng(1))
    clean = transform(name, x)
    x[1, 5] = np.nan
    y = transform(name, x)
    assert np.isnan(y[1]).all()
    np.testing.assert_array_equal(y[[0, 2]], clean[[0, 2]])


@every_rung
def test_an_infinity_does_not_pass_unseen(name):
    x = np.ones((1, 64), complex)
    x[0, 3] = np.inf
    with np.errstate(all="ignore"):
        assert not np.isfinite(transform(name, x)).any()


@every_rung
def test_no_memory_order_is_required(name):
    wide = complex_normal(6, 64, "complex128", np.random.default_rng(2))
    expected = transform(name, wide[::2].copy())
    for x in (wide[::2], np.asfortranarray(wide[::2])):
        assert difference(transform(name, x), expected) <= 1e-14


# --- the compiled passes: every combination, threads, and results too large for the caches ---


@needs_numba
@DTYPES
@pytest.mark.parametrize("k", range(6, 18))
def test_lanes_at_every_power_of_two(k, dtype):
    x = complex_normal(1 if k > 13 else 2, 1 << k, dtype, np.random.default_rng(k))
    error = EXPERIMENT.errors(transform("stockham_lanes", x), (x,), exact(x))["relative error"]
    assert error <= theory.two_level_bound(x)


@needs_numba
@DTYPES
@pytest.mark.parametrize(("batch", "n"), [(1, 2**16), (5, 2**14), (1, 2**19), (300, 1024)])
def test_threads_and_streaming_change_no_bit(batch, n, dtype):
    """One signal's columns and rows, or a batch's signals, among two threads; and past the caches, from 4 MB on."""
    x = complex_normal(batch, n, dtype, np.random.default_rng(n))
    results = []
    for threads in (1, 2):
        with thread_limit(threads):
            results.append(transform("stockham_lanes", x))
    np.testing.assert_array_equal(*results)
    error = EXPERIMENT.errors(results[0], (x,), exact(x))["relative error"]
    assert error <= theory.two_level_bound(x)


@needs_numba
def test_a_plan_serves_many_signals():
    """The padded array of Bluestein and the rooms of the lanes carry nothing over from one call to the next."""
    rng = np.random.default_rng(3)
    first, second = complex_normal(2, 61, "complex128", rng), complex_normal(2, 61, "complex128", rng)
    each = RUNGS["bluestein_lanes"]
    _, plan = each.prepare(first)
    once = each.function(first, plan)
    each.function(second, plan)
    np.testing.assert_array_equal(each.function(first, plan), once)
    np.testing.assert_array_equal(each.function(first), once)


@needs_numba
def test_the_lanes_survive_the_disk_cache():
    """Numba's cache pickles signatures: what comes back must be the very type that the operators are defined for."""
    from maths_exp.basics._fft_lanes import lanes_of

    lanes = lanes_of(importlib.import_module("numba").float64)
    assert pickle.loads(pickle.dumps(lanes)) is lanes
    program = "import numpy as np, maths_exp.basics.fft as m; print(m.stockham_lanes(np.ones((1, 64), 'c16'))[0, 0])"
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "(64+0j)", done.stderr
