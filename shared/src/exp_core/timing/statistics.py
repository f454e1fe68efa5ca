"""Medians, and how far to trust them.

Times are skewed: interruptions only ever add.  So the middle of a sample is its median, a comparison is the median of
ratios within rounds (what slows a whole round cancels), and intervals come from resampling, which assumes no shape.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
LEVEL = 0.95


def bootstrap_medians(values: Sequence[float], seed: int) -> NDArray[np.float64]:
    """Medians of RESAMPLES samples drawn from the values with replacement, shape (RESAMPLES,).

    Source: Efron, Tibshirani, An Introduction to the Bootstrap (1993), ch. 6 and 13.
    """
    x = np.asarray(values, np.float64)
    drawn = np.random.default_rng(seed).integers(x.size, size=(RESAMPLES, x.size))
    medians: NDArray[np.float64] = np.median(x[drawn], axis=1)
    return medians


def median_interval(values: Sequence[float], seed: int) -> tuple[float, float, float]:
    """The median and the limits of its 95% percentile interval.

    With five values or fewer the limits are the smallest and the largest: the best that so few can say, and that covers
    the true median in $1 - 2^{1-n}$ of all cases (75% for n = 3).  Source: Efron, Tibshirani (1993), section 13.3.
    """
    if len(values) <= 5:
        return float(np.median(values)), min(values), max(values)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(bootstrap_medians(values, seed), [tail, 1 - tail])
    return float(np.median(values)), float(low), float(high)


def ratio_interval(slow: Sequence[float], fast: Sequence[float], seed: int) -> tuple[float, float, float]:
    """Median of ``slow[r] / fast[r]`` over the rounds r that both took part in, with its 95% interval."""
    logs = [float(x) for x in np.log(slow[: len(fast)]) - np.log(fast[: len(slow)])]
    middle, low, high = np.exp(median_interval(logs, seed))
    return float(middle), float(low), float(high)


def noise_floor(one: Sequence[float], same: Sequence[float], seed: int) -> float:
    """The gap, as a fraction, that this race would show between an implementation and itself.

    ``one`` and ``same`` are the times of one implementation under two names.  With $d_r = \\log(one_r/same_r)$, whose
    true median is 0, the floor is $e^q - 1$ where q is the 95% quantile of $|median(d^*)|$ over bootstrap samples $d^*$
    (the largest $|d_r|$ where there are five rounds or fewer).  A measured ratio closer to 1 than this ranks nobody.
    """
    logs = np.log(one[: len(same)]) - np.log(same[: len(one)])
    if logs.size <= 5:
        return float(np.expm1(np.abs(logs).max()))
    return float(np.expm1(np.quantile(np.abs(bootstrap_medians([float(d) for d in logs], seed)), LEVEL)))
