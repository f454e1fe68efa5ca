"""Sums along an axis and by segments, carried in a type that does not overflow or stagnate.

Halves are summed in float32 and rounded once, into their own type.  Integers and booleans are summed, and returned, in
64 bits on both libraries (MLX itself would stay in int32 and wrap around).
"""

from __future__ import annotations

from typing import Protocol, cast

import numpy as np

from exp_core.tensor.convert import in_dtype, rounded
from exp_core.tensor.dtypes import FORMATS, accumulator, dtype_name
from exp_core.tensor.namespaces import A, Array, Work, checked_axis, is_mlx, namespace
from exp_core.tensor.selection import check_indices


@np.errstate(all="ignore")
def cumulative_sum(x: A, axis: int = -1) -> A:
    """$s_i = x_0 + \\dots + x_i$ along the axis; the shape of x.

    Error: $|\\hat s_i - s_i| \\le \\gamma_i \\sum_{j \\le i} |x_j|$ with the accumulator's u, in any order of addition
    (Higham 2002, eq. 4.4), and one more rounding for halves.
    Raises IndexError if there is no such axis, TypeError for types that are not summed (complex).
    """
    axis = checked_axis(x, axis)
    w = in_dtype(x, accumulator(x))
    return cast("A", _narrowed(w if x.size == 0 else namespace(x).cumsum(w, axis=axis), x))


@np.errstate(all="ignore")
def segment_sum(x: A, segments: Array, count: int) -> A:
    """$s_k = \\sum_{i : g_i = k} x_i$: the sum of each segment of the first axis.

    x         shape (n, ...).
    segments  g, integers, shape (n,), in any order, $0 \\le g_i <$ count.
    result    shape (count, ...); the sum of an empty segment is 0.  On a GPU the order of the additions, and so the
              rounding, may change from run to run.
    Raises    IndexError for a segment out of range (MLX would write beyond its memory), ValueError if the shapes
              do not fit.
    """
    if x.ndim == 0 or segments.shape != x.shape[:1]:
        raise ValueError(f"segments must have shape {x.shape[:1]}, the first dimension of x, not {segments.shape}")
    xp = namespace(x, segments)
    check_indices(segments, count, negative=False)
    w = in_dtype(x, accumulator(x))
    total = xp.zeros((count, *x.shape[1:]), w.dtype)
    if x.size == 0:
        return cast("A", _narrowed(total, x))
    if is_mlx(x):
        return cast("A", _narrowed(cast("_Scatter", total).at[segments].add(w), x))
    np.add.at(cast("np.ndarray[tuple[int, ...], np.dtype[np.float64]]", total), np.asarray(segments), np.asarray(w))
    return cast("A", _narrowed(total, x))


def _narrowed(total: Work, x: Array) -> Work:
    """The sums in the type that is promised: that of x if it is a float, else the accumulator's."""
    return cast("Work", rounded(total, like=x)) if dtype_name(x) in FORMATS else total


class _Adder(Protocol):
    def add(self, values: Work, /) -> Work: ...


class _Places(Protocol):
    def __getitem__(self, indices: Array, /) -> _Adder: ...


class _Scatter(Protocol):
    """What MLX has in place of ``np.add.at``."""

    @property
    def at(self) -> _Places: ...
