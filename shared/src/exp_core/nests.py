"""Arrays in a nest of tuples, lists and dictionaries: as NumPy's, and one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import numpy as np

from exp_core.tensor import Array, is_mlx, to_numpy


def as_numpy(result: object) -> object:
    """A result with every MLX array in it turned into a NumPy array; tuples keep their shape (and their names)."""
    if isinstance(result, tuple):
        items = tuple(as_numpy(item) for item in result)
        make: Callable[..., object] | None = getattr(result, "_make", None)  # a named tuple
        return make(items) if make else items
    return to_numpy(cast("Array", result)) if is_mlx(result) else result


def arrays_in(value: object) -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    """Every NumPy array in a nest of tuples, lists and dictionaries."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from arrays_in(item)
    elif isinstance(value, dict):
        yield from arrays_in(tuple(value.values()))
