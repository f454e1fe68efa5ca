"""exp and the normal distribution: to a few units in the last place, in both libraries and both computing types."""

import math

import numpy as np
import pytest

from exp_core.tensor import FORMATS, from_numpy, ulp
from exp_core.tensor.special import erfc_series, exp, normal_cdf, normal_pdf, sigmoid

EXP = 8  # u: a library's exp is within 4 units in the last place (NumPy tests its own against 4)
# u: two exps; the parts of x**2, 3 roundings of at most 2.5; the map to t, the series and its factors
NORMAL = 2 * EXP + 8 + 16


def grid(low, high, dtype, arrays):
    x = np.concatenate([np.linspace(low, high, 4001), np.linspace(-1e-3, 1e-3, 101), [0.0, -0.0]])
    x = from_numpy(x, arrays, dtype)
    return x, np.asarray(x, np.longdouble) if arrays == "numpy" else np.array(x.tolist(), np.longdouble)


@pytest.fixture
def limits(wide):
    format_ = FORMATS[wide.dtype]
    return format_.emin * math.log(2), format_.emax * math.log(2)


def test_exp(wide, limits):
    x, t = grid(*limits, wide.dtype, wide.arrays)
    assert ulp(exp(x), np.exp(t)) <= EXP / 2


def test_mlx_exp_itself_would_fail(wide, limits):
    """Why there is an exp of our own.  Float32 by some tens of ulps, float64 by all digits beyond float32's."""
    mx = pytest.importorskip("mlx.core")
    x, t = grid(*limits, wide.dtype, "mlx")
    with mx.stream(mx.cpu):
        assert ulp(mx.exp(x), np.exp(t)) > EXP / 2


def test_exp_at_the_ends(wide):
    x = wide.array([-np.inf, -1e30, 1e30, np.inf, 0.0, -0.0, np.nan])
    with np.errstate(all="ignore"):
        assert np.array_equal(wide.exact(exp(x)), [0, 0, np.inf, np.inf, 1, 1, np.nan], equal_nan=True)


def test_exp_has_its_own_derivative():
    mx = pytest.importorskip("mlx.core")
    x = mx.array([0.0, 1.0, -1.0, 20.0, -50.0, -float("inf")])
    slope = mx.grad(lambda x: exp(x).sum())(x)
    assert ulp(slope, np.exp(np.array(x.tolist()))) <= 2 * EXP  # MLX's own exp enters its derivative of expm1


def test_normal_distribution(wide):
    low = -12 if wide.dtype == "float32" else -37
    x, t = grid(low, 9, wide.dtype, wide.arrays)
    truth = np.array([0.5 * math.erfc(-float(v) / math.sqrt(2)) for v in t])
    wide.close(normal_cdf(x), truth, NORMAL, scale=truth * (1 + (t**2 + 4) * 2.0**-53 / wide.u))
    density = np.exp(-t * t / 2) / np.sqrt(2 * np.pi * np.longdouble(1))
    wide.close(normal_pdf(x), density, NORMAL)
    with pytest.raises(AssertionError):  # the rejected form
        wide.close(
            wide.array([0.5 * (1 + math.erf(float(v) / math.sqrt(2))) for v in t]), truth, NORMAL, scale=truth * 100
        )


def test_normal_distribution_at_the_ends(wide):
    x = wide.array([-np.inf, -1e30, 0.0, -0.0, 1e30, np.inf, np.nan])
    with np.errstate(all="ignore"):
        wide.close(normal_cdf(x), [0, 0, 0.5, 0.5, 1, 1, np.nan], NORMAL)
        assert np.array_equal(np.isnan(wide.exact(normal_pdf(x))), [0, 0, 0, 0, 0, 0, 1])


def test_the_series_has_converged():
    assert abs(erfc_series()[-1]) < 2.0**-53
    assert sum(c * (-1) ** k for k, c in enumerate(erfc_series())) == pytest.approx(1, abs=4 * 2.0**-53)  # g at z = 0


def test_sigmoid_is_accurate_in_both_tails(wide, limits):
    x, t = grid(*limits, wide.dtype, wide.arrays)
    wide.close(sigmoid(x), 1 / (1 + np.exp(-t)), EXP + 2)
