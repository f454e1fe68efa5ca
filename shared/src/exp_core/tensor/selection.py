"""Reading by index, by mask and by rank, with every index checked on both libraries.

MLX does not check: an index beyond the end reads (or writes!) whatever lies there.  So the indices are looked at
first, which forces their computation: these functions cannot stand inside ``mx.compile``.  Indices that they return
are int64 (NumPy's; MLX's own uint32 wraps around at 0 - 1).
"""

from __future__ import annotations

from typing import cast

import numpy as np

from exp_core.tensor.convert import from_numpy, in_dtype, to_numpy
from exp_core.tensor.dtypes import FORMATS, accumulator, dtype_name
from exp_core.tensor.namespaces import A, Array, Work, checked_axis, is_mlx, mlx, namespace


def check_indices(indices: Array, n: int, *, negative: bool = True) -> None:
    """Refuse indices outside $0 \\le i < n$ (or $-n \\le i < n$, where negative ones count from the end).

    Raises IndexError that names the first offender, TypeError if these are not integers.
    """
    name = dtype_name(indices)
    if "int" not in name:
        raise TypeError(f"indices must be integers, not {name}")
    values = np.asarray(to_numpy(indices), dtype=np.int64 if name != "uint64" else np.uint64).reshape(-1)
    wrong = (values >= n) | (values < (-n if negative else 0) if name != "uint64" else False)
    if wrong.any():
        lowest = -n if negative else 0
        raise IndexError(f"index {values[wrong][0]} is out of range: {lowest} to {n - 1} are allowed")


def take(x: A, indices: Array, axis: int = 0) -> A:
    """The slices of x at these indices along the axis, as a new array; negative indices count from the end.

    Shape: x's, with ``indices.shape`` in place of the axis.  Raises IndexError for an index or an axis that x does not
    have.
    """
    axis = checked_axis(x, axis)
    check_indices(indices, x.shape[axis])
    xp = namespace(x, indices)
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    if 0 in shape:  # for which MLX has no gather
        return cast("A", xp.zeros(shape, x.dtype))
    return cast("A", xp.take(cast("Work", x), cast("Work", indices), axis=axis))


def take_along_axis(x: A, indices: Array, axis: int = -1, *, negative: bool = True) -> A:
    """Along the axis, one index for each place: $y_{ij} = x_{i, k_{ij}}$.

    indices  the number of dimensions of x, broadcast against it except along the axis.
    Raises   IndexError for an index or an axis that x does not have.
    """
    axis = checked_axis(x, axis)
    check_indices(indices, x.shape[axis], negative=negative)
    found = namespace(x, indices).take_along_axis(cast("Work", x), cast("Work", indices), axis=axis)
    return cast("A", found)


def select(x: A, mask: Array) -> A:
    """The entries of x where the mask is true, in order of their index (row by row).

    mask     booleans, of the shape of x or of its first dimensions.
    result   shape (number of true ones, *the rest of x's shape).  MLX cannot read through a mask, since the shape
             depends on the values: the mask is read and becomes indices.
    Raises   TypeError if the mask is not boolean, ValueError if its shape does not fit.
    """
    namespace(x, mask)
    if dtype_name(mask) != "bool":
        raise TypeError(f"the mask must be boolean, not {dtype_name(mask)}")
    if mask.shape != x.shape[: mask.ndim]:
        raise ValueError(f"a mask of shape {mask.shape} does not fit an array of shape {x.shape}")
    where = np.flatnonzero(to_numpy(mask))
    flat = cast("Work", x).reshape((mask.size, *x.shape[mask.ndim :]))
    return cast("A", take(flat, from_numpy(where, "mlx" if is_mlx(x) else "numpy"), axis=0))


def one_hot(indices: Array, classes: int, dtype: object = "float32") -> Array:
    """$y_{ij} = 1$ if $j = k_i$, else 0; shape (*indices.shape, classes), in the library of indices.

    Raises IndexError for an index that is not $0 \\le k < \\text{classes}$, TypeError if the indices are not integers.
    """
    check_indices(indices, classes, negative=False)
    xp, k = namespace(indices), cast("Work", indices)
    return in_dtype(xp.expand_dims(k, -1) == xp.arange(classes), dtype_name(dtype))


def top_k(x: A, k: int, axis: int = -1) -> tuple[A, Array]:
    """The k largest entries along the axis, the largest first, and their indices (int64).

    Of equal entries the one with the lower index comes first; NaN counts as the largest.  By sorting everything: a
    partial sort (``argpartition``) leaves the order of ties open.
    Raises   ValueError unless 0 <= k <= the axis' length, IndexError if there is no such axis.
    """
    axis = checked_axis(x, axis)
    n = x.shape[axis]
    if not 0 <= k <= n:
        raise ValueError(f"k = {k} is not between 0 and {n}, the length of axis {axis}")
    xp = namespace(x)
    w = xp.moveaxis(cast("Work", x), axis, -1)
    if 0 in (k, x.size):
        none = w[..., :k]
        return cast("A", xp.moveaxis(none, -1, axis)), xp.moveaxis(in_dtype(none, "int64"), -1, axis)
    # Sorted stably and ascending, with the axis reversed, the last k, read backwards, are in the promised order.
    key = in_dtype(w, accumulator(w)) if dtype_name(w) in FORMATS else w
    order = argsort(key[..., ::-1])[..., n - k :][..., ::-1]
    indices = (n - 1) - order
    values = xp.take_along_axis(w, indices, axis=-1)
    return cast("A", xp.moveaxis(values, -1, axis)), xp.moveaxis(indices, -1, axis)


def argsort(x: Array) -> Work:
    """The indices (int64) that sort the last axis: stably, ascending, NaN last."""
    if is_mlx(x):
        return in_dtype(mlx().argsort(cast("Work", x), axis=-1), "int64")
    return cast("Work", np.argsort(np.asarray(to_numpy(x)), axis=-1, kind="stable").astype(np.int64))
