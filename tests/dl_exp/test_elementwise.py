"""The elementwise functions for MLX's CPU: held against float64, at their limits, in each type, and differentiated."""

from __future__ import annotations

import io
import math
import re
import sys

import numpy as np
import pytest

from dl_exp import _elementwise_formulas as formulas
from dl_exp import elementwise
from dl_exp._elementwise_derivatives import FORMULAS
from exp_core.tensor import dtype_name, from_numpy, gamma, to_numpy, unit_roundoff

mx = pytest.importorskip("mlx.core")
special = pytest.importorskip("scipy.special", reason="the truth is SciPy's, in float64")

C = math.sqrt(2 / math.pi)
PHI = 1 / math.sqrt(2 * math.pi)
TINY = float(np.finfo(np.float32).tiny)
LEAST = 2.0**-149


def s(x):
    return C * (x + 0.044715 * x**3)


def pdf(x):
    return PHI * np.exp(-0.5 * x * x)


#              the truth in float64                its derivative                        ULP by the docstring
TRUTHS = {
    "exp":        (np.exp,                         np.exp,                               1.0),
    "log":        (np.log,                         lambda x: 1 / x,                      1.0),
    "tanh":       (np.tanh,                        lambda x: 1 / np.cosh(x) ** 2,        1.3),
    "sigmoid":    (special.expit,                  lambda x: special.expit(x) * special.expit(-x), 2.5),
    "silu":       (lambda x: x * special.expit(x), lambda x: special.expit(x) * (1 + x * special.expit(-x)), 3.1),
    "normal_cdf": (special.ndtr,                   pdf,                                  8),
    "normal_pdf": (pdf,                            lambda x: -x * pdf(x),                4),
    "gelu":       (lambda x: x * special.ndtr(x),  lambda x: special.ndtr(x) + x * pdf(x), 10),
    "gelu_tanh":  (lambda x: x * special.expit(2 * s(x)),
                   lambda x: special.expit(2 * s(x)) * (1 + 2 * x * C * (1 + 3 * 0.044715 * x**2)
                                                        * special.expit(-2 * s(x))), None),
}  # fmt: skip
NAMES = tuple(TRUTHS)


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    """Our own forms, on whatever system the tests run."""
    before = mx.default_device()
    mx.set_default_device(mx.cpu)
    monkeypatch.setattr(elementwise, "_scalar_here", lambda: True)
    yield
    mx.set_default_device(before)


def numbers(name):
    """Where a network's numbers are, where the function ends, and random bits: every binade, subnormals among them."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 60_000, np.uint64).astype(np.uint32).view(np.float32)
    x = np.concatenate(
        [
            rng.uniform(-20, 20, 60_000),
            rng.uniform(-110, 110, 60_000),
            rng.normal(size=60_000),
            np.arange(-16, 16, 0.25),
        ]
    ).astype(np.float32)
    x = np.concatenate([x, bits[np.isfinite(bits)]])
    return np.abs(x) if name == "log" else x


def ours(name, x):
    return to_numpy(getattr(elementwise, name)(from_numpy(x, "mlx")))


@np.errstate(all="ignore")
def worst(name, x, y):
    """The largest error in the units that are allowed: at most 1."""
    truth = TRUTHS[name][0](x.astype(np.float64))
    nearest = truth.astype(np.float32)
    unit = np.spacing(np.maximum(np.abs(nearest), TINY)).astype(np.float64)
    # the smallest number, by which a subnormal factor errs, is magnified by the other factor
    lost = LEAST * (1 + np.abs(x.astype(np.float64)))
    ulps = TRUTHS[name][2] if TRUTHS[name][2] else 4 + 6 * np.abs(s(np.clip(x, -20, 20).astype(np.float64)))
    error = np.where(
        np.isfinite(nearest), np.abs(y - truth) / (ulps * unit + lost), np.where(y == nearest, 0, math.inf)
    )
    return float(error.max())


@pytest.mark.parametrize("name", NAMES)
def test_every_function_is_as_near_as_it_says(name):
    x = numbers(name)
    assert worst(name, x, ours(name, x)) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_digit_is_seen(name, monkeypatch):
    """One digit of one coefficient (all but the logarithm are made of the exponential)."""
    table = "LOG32" if name == "log" else "EXP32"
    wrong = list(getattr(formulas, table))
    wrong[0] *= 1 + 1e-4
    monkeypatch.setattr(formulas, table, tuple(wrong))
    monkeypatch.setattr(elementwise, "_ours", lambda name: FORMULAS[name][0])  # compiled, it would not see it
    x = numbers(name)
    assert worst(name, x, ours(name, x)) > 1


INF, NAN = math.inf, math.nan
LIMITS = {
    #              0.0   -0.0    inf   -inf
    "exp":        (1,    1,      INF,  0),
    "log":        (-INF, -INF,   INF,  NAN),
    "tanh":       (0.0,  -0.0,   1,    -1),
    "sigmoid":    (0.5,  0.5,    1,    0),
    "silu":       (0.0,  -0.0,   INF,  -0.0),
    "normal_cdf": (0.5,  0.5,    1,    0),
    "normal_pdf": (PHI,  PHI,    0,    0),
    "gelu":       (0.0,  -0.0,   INF,  -0.0),
    "gelu_tanh":  (0.0,  -0.0,   INF,  -0.0),
}  # fmt: skip


@pytest.mark.parametrize("dtype", elementwise.DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_limits_signs_and_what_is_not_a_number(name, dtype):
    y = getattr(elementwise, name)(mx.array([0.0, -0.0, INF, -INF, NAN]).astype(getattr(mx, dtype)))
    assert dtype_name(y) == dtype
    *found, nan = to_numpy(y).astype(np.float64)
    np.testing.assert_allclose(found, LIMITS[name], rtol=2 * unit_roundoff(to_numpy(y)) + 8 * 2**-24, atol=0)
    assert np.isnan(nan)
    zeros = np.array(LIMITS[name]) == 0
    np.testing.assert_array_equal(np.signbit(found)[zeros], np.signbit(LIMITS[name])[zeros])


@np.errstate(all="ignore")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_halves_are_rounded_once(name, dtype):
    """Half a unit of the half type, and what float32 errs by beside it."""
    every = np.arange(2**16, dtype=np.uint16)
    x = to_numpy(mx.array(every).view(getattr(mx, dtype)))
    x = x[np.isfinite(x.astype(np.float32)) & ((x > 0) | (name != "log"))]
    y = ours(name, x).astype(np.float64)
    with np.errstate(all="ignore"):
        truth = TRUTHS[name][0](x.astype(np.float64))
    wide = to_numpy(mx.array(truth.astype(np.float32)).astype(getattr(mx, dtype))).astype(np.float64)
    finite = np.isfinite(wide) & np.isfinite(y)
    smallest = {"float16": 2.0**-24, "bfloat16": 2.0**-133}[dtype]
    u = unit_roundoff(x)
    allowed = np.abs(truth) * (u + 2**-24 * (12 + 12 * np.abs(s(np.clip(x.astype(np.float64), -20, 20))))) + smallest
    assert (np.abs(y - truth)[finite] <= allowed[finite]).all()
    edge = {"float16": 65504.0, "bfloat16": 3.38953139e38}[dtype] * (1 - 2 * u)
    assert (np.abs(truth[~finite]) > edge).all(), "infinite only where the result is at the end of the range"


@pytest.mark.parametrize("shape", [(0,), (1,), (7, 1, 3), (257,)])
@pytest.mark.parametrize("name", NAMES)
def test_shapes_and_layouts(name, shape):
    x = np.random.default_rng(1).uniform(0.1, 2, shape).astype(np.float32)
    assert ours(name, x).shape == shape
    turned = from_numpy(x, "mlx").T
    np.testing.assert_array_equal(to_numpy(getattr(elementwise, name)(turned)), ours(name, x).T)


@pytest.mark.parametrize("name", NAMES)
def test_the_derivative_is_the_closed_form(name):
    x = numbers(name)
    x = x[np.abs(x) > 1e-30] if name == "log" else x
    found = to_numpy(mx.grad(lambda x: getattr(elementwise, name)(x).sum())(from_numpy(x, "mlx")))
    with np.errstate(all="ignore"):
        wide = x.astype(np.float64)
        truth = np.nan_to_num(TRUTHS[name][1](wide), nan=0.0)
        parts = np.abs(truth)
        if name in ("silu", "gelu", "gelu_tanh"):  # a sum of two terms, one of which may cancel the other
            parts = parts + np.abs(truth - np.nan_to_num(TRUTHS[name][0](wide) / wide))
        argument = np.abs(s(np.clip(wide, -20, 20))) if name == "gelu_tanh" else 0
        allowed = 2**-24 * (24 + 24 * argument) * parts + 64 * LEAST * (1 + np.abs(wide)) ** 3
        fits = np.abs(truth) < 3.4e38
        assert (np.abs(found - truth) <= allowed)[fits].all()
        assert np.isinf(found[~fits]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_derivative_is_seen(name, monkeypatch):
    formula, derivative = FORMULAS[name]
    monkeypatch.setitem(FORMULAS, name, (formula, lambda x, y: derivative(x, y) * (1 + 2**-12)))
    monkeypatch.setattr(elementwise, "_ours", elementwise._ours.__wrapped__)
    with pytest.raises(AssertionError):
        test_the_derivative_is_the_closed_form(name)


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_differentiated_twice_compiled_and_mapped(name):
    x = from_numpy(np.linspace(0.25, 3, 23, dtype=np.float32), "mlx")
    function = getattr(elementwise, name)
    first = mx.grad(lambda x: function(x).sum())
    second = to_numpy(mx.grad(lambda x: first(x).sum())(x))
    wide, h = to_numpy(x).astype(np.float64), 1e-5
    differences = (TRUTHS[name][1](wide + h) - TRUTHS[name][1](wide - h)) / (2 * h)
    np.testing.assert_allclose(second, differences, rtol=1e-4, atol=1e-6)  # the difference's own h^2 and u/h
    both = to_numpy(mx.compile(lambda x: function(x) * 1)(x)), to_numpy(mx.vmap(function)(x.reshape(23, 1)))[:, 0]
    for found in both:
        np.testing.assert_array_equal(found, to_numpy(function(x)))
    np.testing.assert_array_equal(to_numpy(mx.compile(first)(x)), to_numpy(first(x)))


@pytest.mark.parametrize("dtype", ["int32", "bool_", "float64", "complex64"])
def test_other_types_are_refused(dtype):
    with pytest.raises(TypeError, match="needs an array of float32, float16, bfloat16, not"):
        elementwise.exp(mx.ones((2,)).astype(getattr(mx, dtype)))
    with pytest.raises(TypeError, match="needs an array"):
        elementwise.softmax(mx.ones((2,)).astype(getattr(mx, dtype)))


@pytest.mark.parametrize("n", [1, 7, 1000])
def test_softmax_and_its_logarithm(n):
    """Blanchard, Higham, Higham (2021): the shifted score rounds by |x_j - m|, the sum's n terms by gamma."""
    rng = np.random.default_rng(n)
    x = (30 * rng.normal(size=(5, n))).astype(np.float32)
    x[0, n // 2 :] = -np.inf if n > 1 else 0
    with np.errstate(all="ignore"):
        wide = x.astype(np.float64)
        shifted = wide - wide.max(axis=1, keepdims=True)
        total = np.exp(shifted).sum(axis=1, keepdims=True)
        bound = gamma(n + 12, "float32") + 2**-24 * np.where(np.isinf(shifted), 0, np.abs(shifted))
        found, truth = ours("softmax", x), np.exp(shifted) / total
        assert (np.abs(found - truth) <= bound * truth + 4 * LEAST).all()
        assert (found[np.isinf(x)] == 0).all()
        found, truth = ours("log_softmax", x), shifted - np.log(total)
        finite = np.isfinite(truth)
        allowed = 2 * gamma(n + 12, "float32") + 4 * 2**-24 * np.abs(truth)
        assert (np.abs(found - truth)[finite] <= allowed[finite]).all()
        assert (found[~finite] == -np.inf).all()


def test_softmax_has_the_right_derivative():
    rng = np.random.default_rng(2)
    x, g = rng.normal(size=(2, 6, 17)).astype(np.float32)
    weight = from_numpy(g, "mlx")
    found = to_numpy(mx.grad(lambda x: (weight * elementwise.softmax(x)).sum())(from_numpy(x, "mlx")))
    p = special.softmax(x.astype(np.float64), axis=-1)
    truth = p * (g - (p * g).sum(axis=-1, keepdims=True))
    assert np.abs(found - truth).max() <= 2 * gamma(17 + 16, "float32") * np.abs(g).max()


@pytest.mark.parametrize("name", [*NAMES, "softmax"])
def test_on_other_devices_the_names_stand_for_mlx_own(name, monkeypatch):
    monkeypatch.setattr(elementwise, "_scalar_here", lambda: False)
    x = mx.array([0.5, 1.0, 2.0])
    theirs = mx.softmax(x) if name == "softmax" else elementwise._mlx(name)(x)
    np.testing.assert_array_equal(to_numpy(getattr(elementwise, name)(x)), to_numpy(theirs))
    truth = special.softmax(to_numpy(x)) if name == "softmax" else TRUTHS[name][0](to_numpy(x).astype(np.float64))
    np.testing.assert_allclose(to_numpy(theirs), truth, rtol=1e-3)  # the same function: some of MLX's are this rough


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere MLX's own functions are vectors")
def test_ours_are_for_the_linux_cpu(monkeypatch):
    monkeypatch.undo()
    mx.set_default_device(mx.cpu)
    assert elementwise._scalar_here()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not elementwise._scalar_here()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_that_mlx_does_one_number_at_a_time(name):
    """A choice that is not fused with its comparison is a branch for each number, and floor a call of the C library."""
    text = io.StringIO()
    mx.export_to_dot(text, elementwise._ours(name)(mx.ones((64,))))
    operations = set(re.findall(r'label ="(\w+)', text.getvalue()))
    if not any(operation.startswith("Compiled") for operation in operations):
        pytest.skip("mx.compile fuses nothing here: no C++ compiler")
    assert not operations & {"Select", "Floor", "Round", "Exp", "Log", "Tanh", "Sigmoid", "Erf"}
