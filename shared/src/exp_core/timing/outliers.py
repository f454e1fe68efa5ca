"""Which samples lie far out: counted and shown, never dropped.

Source: Tukey, Exploratory Data Analysis (1977), ch. 2: mild beyond 1.5, severe beyond 3 times the distance of the
quartiles, counted from the nearer quartile.  Of normal noise 0.7% are mild and 2 in a million severe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MILD = 1.5
SEVERE = 3.0


@dataclass(frozen=True, slots=True)
class Outliers:
    """How many samples lie how far out, on which side."""

    low_severe: int = 0
    low_mild: int = 0
    high_mild: int = 0
    high_severe: int = 0

    def __int__(self) -> int:
        return self.low_severe + self.low_mild + self.high_mild + self.high_severe

    def __add__(self, other: Outliers) -> Outliers:
        return Outliers(
            self.low_severe + other.low_severe,
            self.low_mild + other.low_mild,
            self.high_mild + other.high_mild,
            self.high_severe + other.high_severe,
        )

    def __str__(self) -> str:
        kinds = {
            "severe high": self.high_severe,
            "mild high": self.high_mild,
            "mild low": self.low_mild,
            "severe low": self.low_severe,
        }
        return ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count) or "none"


def fences(values: Sequence[float], reach: float) -> tuple[float, float]:
    """Below the first and above the second of these a value lies ``reach`` quartile distances out."""
    first, third = np.quantile(values, [0.25, 0.75])
    return float(first - reach * (third - first)), float(third + reach * (third - first))


def classify(values: Sequence[float]) -> Outliers:
    """Count them; fewer than four values have no outliers, since their quartiles are themselves."""
    if len(values) < 4:
        return Outliers()
    (low, high), (lowest, highest) = fences(values, MILD), fences(values, SEVERE)
    low_severe = sum(v < lowest for v in values)
    high_severe = sum(v > highest for v in values)
    return Outliers(
        low_severe, sum(v < low for v in values) - low_severe, sum(v > high for v in values) - high_severe, high_severe
    )
