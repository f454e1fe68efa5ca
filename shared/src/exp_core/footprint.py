"""How many bytes an input takes, counted; and foretold at any size from a few small ones."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from exp_core.experiment import Inputs

LOW = 8, 64, 512  # sizes of the small inputs; the next where the problem refuses the one before
FARTHEST = 32  # times that, to see by which power of a size the input grows
ENOUGH = 2**20  # bytes of an input that show it


def predict_input(
    make: Callable[[Mapping[str, float]], Inputs], sizes: Mapping[str, float], fixed: Sequence[str] = ()
) -> float:
    """Bytes of the input at these sizes, from a few small inputs; 0 if the problem refuses those, or all is small.

    What is small already, or fixed, stays as it is.  A problem that refuses sizes of 8 and 16 may want multiples of a
    parameter, the length of a group: 64 and 128, or 512 and 1024, are for those.
    """
    for low in LOW:
        large = [k for k, size in sizes.items() if isinstance(size, int) and size > 2 * low and k not in fixed]
        if large:
            try:
                return bytes_foretold(make, sizes, large, low)
            except Exception:  # the problem refuses such sizes: at the real ones it will speak for itself
                continue
    return 0.0


def bytes_foretold(
    make: Callable[[Mapping[str, float]], Inputs], sizes: Mapping[str, float], large: Sequence[str], low: int
) -> float:
    """The same from inputs whose large sizes are ``low`` and ``2 low``.  Raises whatever ``make`` raises.

    Arrays have sides that are sizes, so that their bytes are a sum of products of (powers of) sizes: linear in each.
    Such a function is known everywhere from its values at the corners of a box.
    """
    high = 2 * low

    def bytes_at(**changes: float) -> float:
        return float(footprint(make({**sizes, **dict.fromkeys(large, low), **changes})))

    weights: dict[str, tuple[float, float]] = {}
    for name in large:
        before, now = bytes_at(**{name: high}), bytes_at(**{name: 2 * high})
        factor = 2
        # a cube whose side is 32 times as long may not fit, and the steps of a training take their time
        while factor < FARTHEST and now < ENOUGH and 2 * factor * high < sizes[name]:
            factor *= 2
            before, now = now, bytes_at(**{name: factor * high})
        power = round(math.log2(max(now, 1) / max(before, 1)))
        least, most, here = (float(size) ** max(power, 1) for size in (low, high, sizes[name]))
        weights[name] = ((most - here) / (most - least), (here - least) / (most - least))
    corners = itertools.product((0, 1), repeat=len(large))
    return sum(
        bytes_at(**{name: (low, high)[side] for name, side in zip(large, corner, strict=True)})
        * math.prod(weights[name][side] for name, side in zip(large, corner, strict=True))
        for corner in corners
    )


def footprint(value: object) -> int:
    """Bytes of arrays, and of the tuples, lists and other objects around them; one that stands twice counts twice."""
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return sys.getsizeof(value) + sum(footprint(item) for item in inside)
