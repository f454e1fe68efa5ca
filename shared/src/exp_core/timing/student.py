"""Quantiles of Student's t without a statistics library."""

from __future__ import annotations

import math
from functools import lru_cache


def two_sided(t: float, freedom: int) -> float:
    """P(|T| <= t) for so many degrees of freedom, by the finite sums for whole numbers of them.

    Source: Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 26.7.3 and 26.7.4.
    """
    angle = math.atan2(t, math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term, total = (cosine if odd else 1.0), 0.0
    for k in range(1 + odd, freedom, 2):  # the powers of the cosine, each with its fraction
        total += term
        term *= cosine**2 * (k / (k + 1))
    if odd:
        return 2 / math.pi * (angle + sine * total)
    return sine * total


@lru_cache
def quantile(level: float, freedom: int) -> float:
    """The t with P(|T| <= t) = level, by bisection to the last digits."""
    low, high = 0.0, 1.0
    while two_sided(high, freedom) < level:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) < level else (low, middle)
    return high
