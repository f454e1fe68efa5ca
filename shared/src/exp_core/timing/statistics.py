"""Medians, ratios and the noise floor, and how far to trust them.

Times are skewed: interruptions only ever add.  So the middle of a sample is its median, a comparison is the median of
ratios within rounds (what slows a whole round cancels), and all of it is done on logarithms, where twice as slow and
twice as fast are equally far.  Samples may come in groups, one a process: see ``hierarchy``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from exp_core.timing.hierarchy import grouped_interval, grouped_medians
from exp_core.timing.intervals import LEVEL, interval

RESAMPLES = 2000
FEW = 5  # values whose resampled medians say nothing

Groups = tuple[int, ...]


def bootstrap_medians(values: Sequence[float], seed: int) -> NDArray[np.float64]:
    """Medians of RESAMPLES samples drawn from the values with replacement, shape (RESAMPLES,).

    Source: Efron, Tibshirani, An Introduction to the Bootstrap (1993), ch. 6 and 13.
    """
    x = np.asarray(values, np.float64)
    drawn = np.random.default_rng(seed).integers(x.size, size=(RESAMPLES, x.size))
    medians: NDArray[np.float64] = np.median(x[drawn], axis=1)
    return medians


def median_interval(times: Sequence[float], seed: int, groups: Groups = ()) -> tuple[float, float, float]:
    """The median of positive times, with the limits of its 95% interval."""
    middle, low, high = _interval(np.log(times), seed, groups, LEVEL)
    return middle, low, high


def ratio_interval(
    slow: Sequence[float], fast: Sequence[float], seed: int, groups: Groups = (), level: float = LEVEL
) -> tuple[float, float, float]:
    """Median of ``slow[r] / fast[r]`` over the rounds r that both took part in, with its interval at this level.

    groups: how many of these pairs each process gave; then there must be as many of the one as of the other.
    """
    return _interval(np.log(slow[: len(fast)]) - np.log(fast[: len(slow)]), seed, groups, level)


def _interval(logs: NDArray[np.float64], seed: int, groups: Groups, level: float) -> tuple[float, float, float]:
    values = [float(x) for x in logs]
    found = grouped_interval(values, groups, seed, level) if len(groups) > 1 else interval(values, level)
    middle, low, high = np.exp(found)
    return float(middle), float(low), float(high)


def noise_floor(gaps: Sequence[float], seed: int, groups: Groups = ()) -> float:
    """The gap, as a fraction, that this race would show between an implementation and itself.

    gaps: $d_r = \\log(one_r/same_r)$ for the times of one implementation under two names, whose true median is 0.

    The floor is $e^q - 1$ where q is the 95% quantile of $|median(d^*)|$ over bootstrap samples $d^*$ (the largest
    $|d_r|$ where there are five rounds or fewer).  A measured ratio closer to 1 than this ranks nobody.
    """
    if len(groups) > 1:
        return float(np.expm1(np.quantile(np.abs(grouped_medians(gaps, groups, seed)), LEVEL)))
    if len(gaps) <= FEW:
        return float(np.expm1(np.abs(gaps).max()))
    return float(np.expm1(np.quantile(np.abs(bootstrap_medians(gaps, seed)), LEVEL)))


def paired(one: Sequence[float], other: Sequence[float]) -> tuple[float, ...]:
    """``log(one[r] / other[r])`` over the rounds that both took part in."""
    return tuple(float(x) for x in np.log(one[: len(other)]) - np.log(other[: len(one)]))
