"""Several values for a size, where one would be a ladder: an axis of a sweep."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from exp_core.api.how import read_size
from exp_core.refusal import Refused

if TYPE_CHECKING:
    from exp_core.experiment import Problem

MOST_POINTS = 10_000  # of a sweep


def several(value: object) -> bool:
    """Whether several values are given for a size, and not one."""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes)) and getattr(value, "ndim", 1) > 0


def read_axis(problem: Problem, name: str, values: object) -> tuple[float, ...]:
    """The values of one axis, ascending, each once.  Raises Refused."""
    size = {size.name: size for size in problem.sizes}[name]
    assert isinstance(values, Iterable)
    found: list[float] = []
    for value in values:
        if len(found) > MOST_POINTS:
            raise Refused(f"--{name} has more than {MOST_POINTS:,} values: take larger steps")
        found.append(read_size(size, value))
    if not found:
        raise Refused(f"--{name} has no values: give some, such as {name}=[64, 128, 256]")
    return tuple(sorted(set(found)))


def refuse_too_many(axes: Mapping[str, Sequence[float]]) -> None:
    """Raise Refused if all the sizes of the axes together are more points than anybody waits for."""
    points = math.prod(map(len, axes.values()))
    if points > MOST_POINTS:
        raise Refused(f"that makes {points:,} points, and {MOST_POINTS:,} are the most: take larger steps")
