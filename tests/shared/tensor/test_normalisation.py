"""Layer and RMS normalisation: by definition, by their laws, and where squares overflow or variances cancel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exp_core.tensor import from_numpy, layer_norm, rms_norm

SHAPES = st.sampled_from([(1,), (1, 2), (3, 7), (2, 3, 16), (0, 4)])


def oracle_layer_norm(x, w=1, b=0, eps=1e-5):
    d = x - x.mean(-1, keepdims=True)
    return d / np.sqrt((d * d).mean(-1, keepdims=True) + np.longdouble(eps)) * w + b


def oracle_rms_norm(x, w=1, eps=1e-5):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + np.longdouble(eps)) * w


def condition(x, eps=1e-5):
    """How much the rounding of a row shows in d/sigma: the mean's error, of |x|, against the spread."""
    sigma = np.sqrt(x.var(-1, keepdims=True) + eps)
    size = np.abs(x).max(-1, keepdims=True)
    return 1 + np.abs(oracle_layer_norm(x)) + (1 + np.abs(oracle_layer_norm(x))) * size / sigma


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shape=SHAPES, centre=st.sampled_from([0, 3, 100]), affine=st.booleans())
def test_by_definition(case, seed, shape, centre, affine):
    rng = np.random.default_rng(seed)
    x, w, b = (case.array(rng.normal(m, 1, s)) for m, s in ((centre, shape), (1, shape[-1]), (0, shape[-1])))
    exact, weight, bias = (case.exact(y) for y in (x, w, b))
    n, k = shape[-1], 3 * shape[-1] + 12
    arguments = (w, b) if affine else ()
    y = layer_norm(x, *arguments)
    factors = (weight, bias) if affine else (1, 0)
    scale = condition(exact) * np.abs(factors[0]) + np.abs(factors[1])
    truth = oracle_layer_norm(exact, *factors)
    case.close(y, truth, k, scale=scale)
    z = rms_norm(x, *arguments[:1])
    case.close(z, oracle_rms_norm(exact, factors[0]), n + 12)
    assert np.array_equal(case.exact(x), exact)
    if exact.size:
        with pytest.raises(AssertionError):
            case.close(
                case.array(case.exact(z) * (1 + 16 * case.bound(n + 12))), oracle_rms_norm(exact, factors[0]), n + 12
            )


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.sampled_from([2, 7, 64]))
def test_mean_zero_and_mean_square_one(case, seed, n):
    x = case.array(np.random.default_rng(seed).normal(0, 1, (3, n)))
    y, z = case.exact(layer_norm(x, eps=0.0)), case.exact(rms_norm(x, eps=0.0))
    slack = 4 * case.bound(4 * n + 20) * condition(case.exact(x), 0).max()
    assert (np.abs(y.mean(-1)) <= slack).all()
    assert (np.abs((y * y).mean(-1) - 1) <= slack).all()
    assert (np.abs((z * z).mean(-1) - 1) <= slack).all()


def test_the_rejected_variance_fails(wide):
    x = wide.array(np.array([0.0, 1.0, 2.0, 4.0]) + (2.0**14 if wide.dtype == "float32" else 2.0**30))
    exact = wide.exact(x)
    wide.close(layer_norm(x), oracle_layer_norm(exact), 24, scale=condition(exact))
    a = np.array(exact, wide.dtype)
    with np.errstate(all="ignore"):
        one_pass = (a - a.mean()) / np.sqrt((a * a).mean() - a.mean() ** 2 + np.asarray(1e-5, wide.dtype))
    with pytest.raises(AssertionError):
        wide.close(wide.array(one_pass), oracle_layer_norm(exact), 24, scale=condition(exact))


def test_squares_do_not_overflow(wide):
    huge = 1e30 if wide.dtype == "float32" else 1e250
    x = wide.array([[huge, -huge, 2 * huge, 3.0]])
    exact = wide.exact(x) / np.longdouble(huge)
    wide.close(rms_norm(x), oracle_rms_norm(exact, eps=0), 24)
    wide.close(layer_norm(x), oracle_layer_norm(exact, eps=0), 24, scale=8)


@pytest.mark.parametrize("row", [[np.inf, 1.0, 2.0], [np.nan, 1.0, 2.0], [-np.inf, np.inf, 0.0]])
def test_infinite_rows_are_not_numbers(case, row):
    for f in (layer_norm, rms_norm):
        y = case.exact(f(case.array([row, [1.0, 2.0, 3.0]])))
        assert np.isnan(y[0]).all()
        assert np.isfinite(y[1]).all()


def test_constant_rows(case):
    for c in (0.0, 1.0, -3.0, 1024.0):  # sums of these are exact
        assert (case.exact(layer_norm(case.array(np.full((2, 4), c)))) == 0).all()
    assert (case.exact(layer_norm(case.array(np.zeros((2, 4))), eps=0.0)) == 0).all()
    assert (case.exact(rms_norm(case.array(np.zeros((2, 4))), eps=0.0)) == 0).all()
    tiny = case.array(np.full(4, 2.0**-14))
    case.close(rms_norm(tiny), oracle_rms_norm(case.exact(tiny)), 20)


def test_derivative_exists():
    mx = pytest.importorskip("mlx.core")
    x = mx.array([[0.5, -1.0, 2.0], [0.0, 0.0, 0.0]])
    for f in (layer_norm, rms_norm):
        slope = mx.grad(lambda x, f=f: (f(x) * mx.array([1.0, 2.0, 3.0])).sum())(x)
        assert mx.isfinite(slope).all().item()


def test_what_is_refused(library):
    x = from_numpy(np.ones((2, 3), "float32"), library)
    for f in (layer_norm, rms_norm):
        with pytest.raises(ValueError, match=r"must have shape \(3,\)"):
            f(x, x[:, 0])
        with pytest.raises(ValueError, match="at least one entry"):
            f(x[:, :0])
        with pytest.raises(TypeError, match="floating-point"):
            f(from_numpy(np.ones((2, 3), int), library))
