"""Activations: values and derivatives against the definition, derivatives against differences, limits at infinity."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import exp_core.tensor as tensor
from exp_core.tensor import dtype_name, from_numpy, gelu, gelu_tanh, relu, to_numpy

NAMES = ["relu", "sigmoid", "silu", "gelu", "gelu_tanh"]
C = np.sqrt(np.longdouble(2) / np.longdouble(math.pi))
EXP = 8  # u
NORMAL = 2 * EXP + 24  # u, of the normal distribution function (test_special)


def logistic(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-abs(x))), np.exp(-abs(x)) / (1 + np.exp(-abs(x))))


def phi(x):
    return np.exp(-x * x / 2) * C / 2


def cdf(x):
    return np.array([0.5 * math.erfc(-float(v) / math.sqrt(2)) for v in x.reshape(-1)], np.longdouble).reshape(x.shape)


def s(x):
    return C * (x + 0.044715 * x**3)


def ds(x):
    return C * (1 + 3 * 0.044715 * x**2)


def steep(x):
    return ds(x) * logistic(2 * s(x)) * logistic(-2 * s(x))


# name            value                             derivative
ORACLES = {
    "relu":      (lambda x: np.maximum(x, 0),       lambda x: 1.0 * (x > 0)),
    "sigmoid":   (logistic,                         lambda x: logistic(x) * logistic(-x)),
    "silu":      (lambda x: x * logistic(x),        lambda x: logistic(x) * (1 + x * logistic(-x))),
    "gelu":      (lambda x: x * cdf(x),             lambda x: cdf(x) + x * phi(x)),
    "gelu_tanh": (lambda x: x * logistic(2 * s(x)), lambda x: logistic(2 * s(x)) + 2 * x * steep(x)),
}  # fmt: skip


def rounding(x):
    """Of the argument of an exponential: gelu's tanh form and erfc's oracle feed it with numbers as large as this."""
    return 1 + 6 * np.abs(s(np.clip(x, -40, 40))) + np.clip(x, -40, 40) ** 2 * 2.0**-52


def inputs(case, seed, wide):
    x = np.random.default_rng(seed).normal(0, wide, 23)
    return case.array(np.concatenate([x, [0.0, -0.0, 1.0, -1.0, -5.5]]))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), wide=st.sampled_from([1e-3, 1.0, 4.0, 20.0]))
def test_value_and_derivative_by_definition(case, name, seed, wide):
    x = inputs(case, seed, wide)
    exact, before = case.exact(x), case.exact(x).copy()
    value, slope = ORACLES[name]
    amplified = rounding(exact) if name == "gelu_tanh" else 1 + exact**2 * 2.0**-52 / unit(case)
    case.close(getattr(tensor, name)(x), value(exact), NORMAL, scale=np.abs(value(exact)) * amplified)
    # the derivative is a sum of two terms that may cancel: its error is relative to the terms
    terms = np.abs(slope(exact)) + np.abs(exact) * (phi(exact) + logistic(exact) * logistic(-exact) + steep(exact))
    case.close(getattr(tensor, f"{name}_derivative")(x), slope(exact), NORMAL, scale=terms * amplified)
    assert np.array_equal(case.exact(x), before)


def unit(case):
    return 2.0**-24 if case.accumulator == "float32" else 2.0**-53


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_are_slopes(library, name):
    """Central differences in float64: truncation $h^2 M_3/6$, rounding $u (|f| + |x f'|)/h$; $M_3 < 2$ for all."""
    if library == "mlx":
        import mlx.core as mx

        if mx.default_device() != mx.cpu:
            pytest.skip("MLX has no float64 on a GPU")
    x, h = np.linspace(-9, 9, 36) + 0.01, 2.0**-17
    f = getattr(tensor, name)
    difference = (read(f, x + h, library) - read(f, x - h, library)) / (2 * h)
    slope = read(getattr(tensor, f"{name}_derivative"), x, library)
    allowed = h**2 * 2 / 6 + 64 * 2.0**-53 * (np.abs(x) + 1) ** 2 / h
    assert (np.abs(difference - slope) <= allowed).all()
    assert not (np.abs(difference - slope * (1 + 1e-6)) <= allowed).all()  # a millionth would show


def read(f, x, library):
    return np.asarray(to_numpy(f(from_numpy(x, library))))


@pytest.mark.parametrize("name", NAMES)
def test_limits(case, name):
    x = case.array([-np.inf, np.inf, np.nan])
    value, slope = case.exact(getattr(tensor, name)(x)), case.exact(getattr(tensor, f"{name}_derivative")(x))
    top = 1 if name == "sigmoid" else np.inf
    assert np.array_equal(value, [0, top, np.nan], equal_nan=True)
    assert np.array_equal(slope, [0, 0 if name == "sigmoid" else 1, np.nan], equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0), (2, 3, 5)])
def test_shapes(case, name, shape):
    for f in (getattr(tensor, name), getattr(tensor, f"{name}_derivative")):
        y = f(case.array(np.ones(shape)))
        assert y.shape == shape
        assert dtype_name(y) == case.dtype


@pytest.mark.parametrize("name", NAMES)
def test_mlx_differentiates_them(name):
    mx = pytest.importorskip("mlx.core")
    x = mx.array(np.linspace(-8, 8, 33, dtype="float32") + np.float32(0.1))
    slope = mx.grad(lambda x: getattr(tensor, name)(x).sum())(x)
    expected = getattr(tensor, f"{name}_derivative")(x)
    assert mx.abs(slope - expected).max().item() <= 100 * 2.0**-24


def test_gelu_approximation_is_as_near_as_claimed():
    x = np.linspace(-10, 10, 4001)
    assert np.abs(gelu(x) - gelu_tanh(x)).max() <= 5e-4


def test_the_rejected_gelu_fails(case):
    x = case.array(np.linspace(-6.5, -5, 7))
    exact = case.exact(x)
    truth = exact * cdf(exact)
    wrong = exact.astype(case.accumulator)
    erf = np.array([math.erf(v / math.sqrt(2)) for v in wrong]).astype(case.accumulator)
    wrong = wrong / 2 * (1 + erf)
    with pytest.raises(AssertionError):
        case.close(case.array(wrong), truth, NORMAL)


def test_integers_are_refused(library):
    with pytest.raises(TypeError, match="floating-point numbers"):
        relu(from_numpy(np.arange(3), library))
