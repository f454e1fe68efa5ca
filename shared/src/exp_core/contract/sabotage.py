"""Results made wrong on purpose: a law that does not see it is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Leaf = np.ndarray[tuple[int, ...], np.dtype[np.generic]]


def leaves(result: object) -> list[object]:
    """The arrays and numbers of a result, in order."""
    if isinstance(result, (tuple, list)):
        return [leaf for item in result for leaf in leaves(item)]
    return [result]


def with_leaf(result: object, place: int, leaf: object) -> object:
    """The same result with the leaf at one place exchanged."""
    left = iter(range(len(leaves(result))))

    def rebuild(value: object) -> object:
        if isinstance(value, (tuple, list)):
            items = [rebuild(item) for item in value]
            make: Callable[[object], object] = getattr(value, "_make", type(value))  # a named tuple has its own
            return make(items)
        return leaf if next(left) == place else value

    return rebuild(result)


def shaken(leaf: object, size: float) -> Leaf | None:
    """Every float moved by the largest entry times the size; one integer moved by one; None if nothing can be moved."""
    if type(leaf) is int:
        return None  # a count that the result carries along for its figures: no part of the answer
    array = np.asarray(leaf)
    out = array.copy()
    if array.dtype.kind in "iu" and array.size:
        flat = out.reshape(-1)
        flat[array.size // 2] += -1 if flat[array.size // 2] else 1
        return out
    if array.dtype.kind == "b" or not array.size or not np.any(array):
        return None  # nothing to scale by
    if size == 0:  # an answer without rounding: one number becomes its neighbour
        place = np.flatnonzero(np.isfinite(array))
        if not place.size:
            return None
        flat = out.reshape(-1)
        flat[place[place.size // 2]] = np.nextafter(flat[place[place.size // 2]], array.dtype.type(1.5))
        return out
    scale = float(np.abs(array.astype(complex if array.dtype.kind == "c" else float)).max())
    signs = np.where(np.arange(array.size).reshape(array.shape) % 2, 1.0, -1.0)
    moved: Leaf = (array + scale * size * signs).astype(array.dtype)
    return moved


def poisoned(leaf: object, size: float) -> Leaf | None:
    """One entry is not a number."""
    array = np.asarray(leaf)
    if array.dtype.kind not in "fcV" or not array.size:
        return None
    out = array.copy()
    out.reshape(-1)[array.size // 2] = np.nan
    return out
