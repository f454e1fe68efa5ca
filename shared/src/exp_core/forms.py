"""The form of a result: how its arrays are nested, their shapes and dtypes; and how two forms differ, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Form:
    """What is known of a result without its numbers.  parts: those of a tuple; None: one array, or one number."""

    dtype: str = ""
    shape: Shape = ()
    parts: tuple[Form, ...] | None = None

    @classmethod
    def of(cls, result: object) -> Form:
        """The form of a result: an array, a number, or nested tuples of them."""
        if isinstance(result, (tuple, list)):
            return cls(parts=tuple(map(cls.of, result)))
        array = np.asarray(result)
        return cls(array.dtype.name, array.shape)

    @property
    def leaves(self) -> tuple[Form, ...]:
        """Its arrays and numbers, in order."""
        return (self,) if self.parts is None else tuple(leaf for part in self.parts for leaf in part.leaves)

    def __str__(self) -> str:
        if self.parts is not None:
            return f"a tuple of {len(self.parts)} ({', '.join(map(str, self.parts))})"
        return f"{self.dtype} array of shape {self.shape}" if self.shape else f"{self.dtype} number"


def difference(yours: Form, wanted: Form) -> str:
    """What of one's form is not as wanted, in half a sentence; empty if nothing is.

    Integers may be of any width, and so may a single number: a Python ``float`` is always float64.
    """
    if _nesting(yours) != _nesting(wanted):
        return f"it returned {yours}, not {wanted}"
    several = len(wanted.leaves) > 1
    for number, (own, other) in enumerate(zip(yours.leaves, wanted.leaves, strict=True), 1):
        what = f"the result's part {number}" if several else "the result"
        if own.shape != other.shape:
            return f"{what} has shape {own.shape}, not {other.shape}"
        if own.shape and _kind(own.dtype) != _kind(other.dtype):
            return f"{what} has dtype {own.dtype}, not {other.dtype}"
    return ""


def nearest_difference(yours: Form, allowed: Iterable[Form]) -> str:
    """The difference from the first of the forms that are right; empty if it is one of them, or if none is known."""
    differences = [difference(yours, form) for form in allowed]
    return "" if "" in differences or not differences else differences[0]


def same_memory(result: object, inputs: Iterable[np.ndarray[Shape, np.dtype[np.generic]]]) -> bool:
    """Whether a result lies, in part, where an input lies: a view of it."""
    given = list(inputs)
    return any(np.may_share_memory(array, other) for array in _arrays(result) for other in given)


def _nesting(form: Form) -> object:
    return None if form.parts is None else tuple(map(_nesting, form.parts))


def _kind(dtype: str) -> str:
    """Booleans and integers of all widths count as the same."""
    return "integer" if dtype.startswith(("int", "uint", "bool")) else dtype


def _arrays(result: object) -> Iterator[np.ndarray[Shape, np.dtype[np.generic]]]:
    if isinstance(result, np.ndarray):
        yield result
    elif isinstance(result, (tuple, list)):
        for item in result:
            yield from _arrays(item)
