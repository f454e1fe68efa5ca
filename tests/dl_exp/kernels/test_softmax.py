"""Softmax's laws: each type's own rounding is allowed, and nothing beyond it."""

import ml_dtypes
import numpy as np
import pytest

from dl_exp.kernels.softmax import BOUND, LAWS, exact, large, relative_error, scores

TYPES = {"float32": np.float32, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


def made(problem, dtype, n=300):
    (x,) = problem(4, n, dtype=dtype, rng=np.random.default_rng(0))
    return x, exact(x)


def broken(p, x, truth):
    return [name for name, law in LAWS.items() if not law(p, x, truth) <= BOUND[name](x)]


@pytest.mark.parametrize("problem", [scores, large])
@pytest.mark.parametrize("dtype", TYPES)
def test_a_probability_that_is_off_by_a_little_more_than_its_bound_is_seen(problem, dtype):
    """In every type: what may be lost below the normal numbers must not hide what is lost above them."""
    x, truth = made(problem, dtype)
    assert not broken(truth.astype(TYPES[dtype]), x, truth)
    gap = x.astype(float).max(axis=-1, keepdims=True) - x.astype(float)
    off = (truth * (1 + 3 * BOUND["relative error"](x) * (1 + gap))).astype(TYPES[dtype])
    assert "relative error" in broken(off, x, truth)


@pytest.mark.parametrize("dtype", TYPES)
def test_a_shift_by_the_largest_score_of_all_rows_is_seen(dtype):
    x, truth = made(large, dtype)
    powers = np.exp(x.astype(np.float32) - x.astype(np.float32).max())
    with np.errstate(invalid="ignore"):
        p = (powers / powers.sum(axis=-1, keepdims=True)).astype(TYPES[dtype])
    assert "relative error" in broken(p, x, truth)


def test_what_float16_cannot_hold_is_no_error():
    """Probabilities among float16's denormal numbers: rounded to a multiple of 2^-24, which is more than u of them."""
    x = np.array([[0.0, -13.3, -16.9, -40.0]], np.float16)
    truth = exact(x)
    p = truth.astype(np.float16)
    assert 0 < p[0, 2] < np.finfo(np.float16).tiny
    assert not broken(p, x, truth)
    flushed = np.where(p < np.finfo(np.float16).tiny, np.float16(0), p)
    assert relative_error(flushed, x, truth) > BOUND["relative error"](x)


@pytest.mark.parametrize("dtype", TYPES)
def test_a_result_of_the_wrong_type_or_shape_is_wrong(dtype):
    x, truth = made(scores, dtype)
    assert relative_error(truth, x, truth) == np.inf
    assert relative_error(truth[:2].astype(TYPES[dtype]), x, truth) == np.inf
    assert np.isnan(relative_error(np.full_like(x, np.nan), x, truth))
