"""Numbers as JSON has them: it knows neither NaN nor infinity, and writes null for what is not known."""

from __future__ import annotations

import math
from collections.abc import Mapping


def number(value: float | None) -> float | None:
    """A finite number, or None: JSON has neither NaN nor infinity."""
    return None if value is None or not math.isfinite(value) else float(value)


def nan(value: object) -> float:
    """The number that JSON had to write as null."""
    return math.nan if value is None else float(value)  # type: ignore[arg-type]


def pair(value: object) -> tuple[float, float] | None:
    """An interval as JSON writes it."""
    if not isinstance(value, list):
        return None
    low, high = value
    return nan(low), nan(high)


def mapping(value: object) -> Mapping[str, Mapping[str, object]]:
    """A dictionary of dictionaries.  Raises TypeError for anything else."""
    if not isinstance(value, Mapping) or not all(isinstance(item, Mapping) for item in value.values()):
        raise TypeError("errors must be a mapping")
    return value


def interval(bounds: tuple[float, float] | None) -> list[float | None] | None:
    """Both ends, or None if there is no interval."""
    return None if bounds is None else [number(end) for end in bounds]
