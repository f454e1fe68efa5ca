"""Random arrays in any element type, drawn from an explicit NumPy generator.

The numbers are drawn in float64 (integers: int64) and rounded once, so that the same generator gives the same numbers
in every element type, up to that rounding, and exactly the same on NumPy and MLX.  Each copies, raises ValueError as
NumPy's generator does (negative scale, low > high), and as ``from_numpy``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exp_core.tensor.convert import Arrays, from_numpy
from exp_core.tensor.dtypes import FORMATS, dtype_name
from exp_core.tensor.namespaces import Array


def normal(
    rng: np.random.Generator,
    shape: int | Sequence[int],
    dtype: object = "float64",
    arrays: Arrays = "numpy",
    *,
    mean: float | np.ndarray[tuple[int, ...], np.dtype[np.float64]] = 0.0,
    deviation: float = 1.0,
) -> Array:
    """Normally distributed numbers, density $e^{-(x - \\mu)^2 / 2\\sigma^2} / \\sigma\\sqrt{2\\pi}$.

    mean: one for all, or an array that broadcasts to the shape.
    """
    return from_numpy(rng.normal(mean, deviation, shape), arrays, dtype)


def uniform(
    rng: np.random.Generator,
    shape: int | Sequence[int],
    dtype: object = "float64",
    arrays: Arrays = "numpy",
    *,
    low: float = 0.0,
    high: float = 1.0,
) -> Array:
    """Numbers evenly from [low, high); rounding to a narrower type yields ``high`` itself now and then."""
    return from_numpy(rng.uniform(low, high, shape), arrays, dtype)


def integers(
    rng: np.random.Generator,
    shape: int | Sequence[int],
    dtype: object = "int64",
    arrays: Arrays = "numpy",
    *,
    low: int = 0,
    high: int,
) -> Array:
    """Integers evenly from low, ..., high - 1.  Raises ValueError if the dtype cannot hold them all."""
    values = rng.integers(low, high, shape, dtype=np.int64)
    name, extreme = dtype_name(dtype), max(-low, high - 1)
    if name in FORMATS:
        fits = extreme <= 2 ** FORMATS[name].precision
    else:
        limits = np.iinfo(name)
        fits = limits.min <= low and high - 1 <= limits.max
    if not fits:
        raise ValueError(f"{name} cannot hold all integers from {low} to {high - 1}")
    return from_numpy(values, arrays, dtype)
