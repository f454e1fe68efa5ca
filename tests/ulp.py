"""Errors in units in the last place, against functions evaluated in higher precision."""

from __future__ import annotations

import numpy as np
import pytest

PRECISION = 200  # bits of mpmath's numbers


def error_in_ulps(y, nearest, rest):
    """How far each y is from the truth, given as `truth` gives it, in units in the last place of what would be right.

    Infinite where one of them is infinite or not a number and the other is not, or of another sign.
    """
    both = np.isfinite(y) & np.isfinite(nearest)
    same = np.where(np.isnan(nearest), np.isnan(y), y == nearest)
    wide, right = (np.where(both, a, 0).astype(np.float64) for a in (y, nearest))
    size = np.abs(np.where(both, nearest, y.dtype.type(1)))
    unit = np.spacing(size).astype(np.float64)
    error = np.abs((wide - right) / unit - np.where(both, rest, 0))
    below = rest * np.sign(right) < 0  # of a power of two a unit is half as large
    error = error * np.where(below, unit / np.spacing(np.nextafter(size, 0 * size)), 1)
    return np.where(both, error, np.where(same, 0, np.inf))


def truth(name, x):
    """The function of each x: the nearest number in x's type, and what is left in units of its last place."""
    if x.dtype == np.float32:
        exact = in_double(name, x.astype(np.float64))
        nearest = exact.astype(np.float32)
        rest = (exact - nearest.astype(np.float64)) / np.spacing(np.abs(nearest)).astype(np.float64)
        return nearest, rest
    mpmath = pytest.importorskip("mpmath", reason="float64 is held against mpmath's numbers")
    with mpmath.workprec(PRECISION):
        function = getattr(mpmath, name, None) or (lambda x: 1 / (1 + mpmath.exp(-x)))
        pairs = [with_rest(mpmath, function, float(each)) for each in x]
    return tuple(np.array(part) for part in zip(*pairs, strict=True))


def in_double(name, x):
    """NumPy's function in float64, which errs by some 2^-29 of a unit of float32."""
    if name != "sigmoid":
        return getattr(np, name)(x)
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def with_rest(mpmath, function, x):
    """The value at x rounded to float64, and what is left in units in the last place."""
    if not np.isfinite(x):
        raise ValueError("limits are a matter of definition: write them down")
    w = function(mpmath.mpf(x))
    nearest = float(w) if abs(w) < mpmath.ldexp(1, 1024) - mpmath.ldexp(1, 970) else float(mpmath.sign(w) * mpmath.inf)
    return nearest, float((w - nearest) / mpmath.mpf(np.spacing(abs(nearest)))) if np.isfinite(nearest) else 0.0
