"""What every test of exp_core.tensor runs on: each library with each element type, against an oracle in long double."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import numpy as np
import pytest

from exp_core.tensor import FORMATS, accumulator, dtype_name, from_numpy, gamma, is_mlx, to_numpy, unit_roundoff


@dataclass(frozen=True)
class Case:
    """One library and one element type."""

    arrays: str
    dtype: str

    def __str__(self):
        return f"{self.arrays}-{self.dtype}"

    @property
    def u(self):
        return unit_roundoff(self.dtype)

    @property
    def accumulator(self):
        return accumulator(self.dtype)

    def array(self, x, dtype=None):
        """x in this library, in this element type unless another is given."""
        return from_numpy(np.asarray(x), self.arrays, self.dtype if dtype is None else dtype)

    def exact(self, x):
        """The values of an array, widened without rounding."""
        with np.errstate(invalid="ignore"):  # signalling NaNs
            return np.asarray(to_numpy(x, "float64" if dtype_name(x) in FORMATS else None)).astype(np.longdouble)

    def bound(self, k):
        """k roundings while computing, as many in the oracle (where a long double is a double), and one at the end."""
        return gamma(k, self.accumulator) + gamma(k, "float64") + self.u

    def close(self, result, truth, k, scale=None):
        """Library, element type and shape are right, and |result - truth| <= bound(k) scale, but for underflow."""
        assert is_mlx(result) == (self.arrays == "mlx")
        assert dtype_name(result) == self.dtype
        found, truth = self.exact(result), np.asarray(truth, np.longdouble)
        assert found.shape == truth.shape
        assert np.array_equal(np.isnan(found), np.isnan(truth))
        with np.errstate(all="ignore"):
            scale = np.abs(truth) if scale is None else np.asarray(scale, np.longdouble)
            underflow = FORMATS[self.dtype].smallest_subnormal + 4 * FORMATS[self.accumulator].smallest_normal
            allowed = self.bound(k) * scale + underflow
            right = (found == truth) | (np.abs(found - truth) <= allowed) | np.isnan(truth)
            beyond = np.isinf(found) & (np.sign(found) == np.sign(truth))
            right |= beyond & (np.abs(truth) * (1 + self.bound(k)) > FORMATS[self.dtype].largest)
        assert right.all(), f"{found[~right]} should be {truth[~right]}"


def missing(arrays, dtype):
    """Marks that skip where something is not installed."""
    if arrays == "mlx":
        there = importlib.util.find_spec("mlx") is not None
        return pytest.mark.skipif(not there, reason="MLX is not installed: pip install 'mlx[cpu]'")
    there = dtype != "bfloat16" or importlib.util.find_spec("ml_dtypes") is not None
    return pytest.mark.skipif(not there, reason="ml_dtypes is not installed: pip install ml-dtypes")


CASES = [pytest.param(Case(a, d), id=f"{a}-{d}", marks=missing(a, d)) for a in ("numpy", "mlx") for d in FORMATS]
LIBRARIES = [pytest.param(a, marks=missing(a, "float32")) for a in ("numpy", "mlx")]


def prepared(request):
    """The case that was asked for; MLX's float64 on the CPU, where alone it exists."""
    if request.param.arrays == "numpy" or request.param.dtype != "float64":
        yield request.param
        return
    import mlx.core as mx

    before = mx.default_device()
    mx.set_default_device(mx.cpu)
    yield request.param
    mx.set_default_device(before)


@pytest.fixture(scope="session", params=CASES)
def case(request):
    """Each library with each element type."""
    yield from prepared(request)


@pytest.fixture(scope="session", params=[case for case in CASES if case.values[0].dtype in ("float64", "float32")])
def wide(request):
    """Each library with each type to compute in."""
    yield from prepared(request)


@pytest.fixture(scope="session", params=LIBRARIES)
def library(request):
    """Each library, for tests about indices and shapes."""
    return request.param
