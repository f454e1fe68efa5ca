r"""An interval for a median that covers it as often as it says, at the few rounds that a race has.

The usual bootstrap of the median does not: at n = 10 its 95% intervals hold the truth in some 90% of all cases, since
the resampled medians are only a handful of different numbers.  The sign test needs no assumption on the noise's shape:
the number of values below the true median is binomial, so $(x_{(d)}, x_{(n+1-d)})$ covers it with
$\gamma_d = 1 - 2 P(B(n, 1/2) < d)$.  The wanted level lies between two such steps, and between them is interpolated.

Sources: Hettmansperger, Sheather, Confidence intervals based on interpolated order statistics, Statistics & Probability
Letters 4 (1986); Nyblom, Note on interpolated order statistics, the same journal 14 (1992).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from exp_core.timing import student

LEVEL = 0.95
VAGUE = 100.0  # times between the limits of an interval that says nothing


def interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float, float]:
    """The median and the limits of its interval at this level; of one value they are not known, and it stands
    for them.

    Where n is too small for order statistics at this level (n < 6 for 95%) Student's interval of the mean stands in,
    stretched to hold the median.  It assumes a shape; give it logarithms.
    """
    x = np.sort(np.asarray(values, np.float64))
    middle = float(np.median(x))
    if x.size == 1 or x[0] == x[-1]:
        return middle, middle, middle
    at = depth(x.size, level)
    if at is None:
        reach = student.quantile(level, x.size - 1) * float(x.std(ddof=1)) / math.sqrt(x.size)
        return middle, min(middle, float(x.mean()) - reach), max(middle, float(x.mean()) + reach)
    at = max(1.0, _thinned(values, at, level))
    low, high = np.interp([at, x.size + 1 - at], np.arange(1, x.size + 1), x)
    return middle, float(low), float(high)


def tells(limits: tuple[float, float]) -> bool:
    """Whether an interval of times or ratios says anything: after three rounds in bad weather it may reach from
    femtoseconds to years.
    """
    return limits[1] <= VAGUE * limits[0]


@lru_cache(maxsize=4096)
def depth(n: int, level: float) -> float | None:
    """How far in from each end of n sorted values the interval ends, counting from 1; None if n is too small.

    Between the steps d and d + 1 at $\\lambda = (n - d) I / (d + (n - 2d) I)$ of the way, where I is the level's place
    between the two coverages: exact for one shape of noise, and nearly so for all.
    """
    if 1 - 2.0 ** (1 - n) < level:
        return None
    ways, total, k = 1, 1, 0  # binomial coefficient, their sum up to k, k = d - 1
    outside = 2.0 ** (1 - n)
    while True:
        ways = ways * (n - k) // (k + 1)
        further = math.ldexp(total + ways, 1 - n) if n < 1000 else float((total + ways) * 2 / 2**n)
        if 1 - further < level:
            break
        total, k, outside = total + ways, k + 1, further
    d, part = k + 1, (1 - outside - level) / (further - outside)
    return d + (n - d) * part / (d + (n - 2 * d) * part)


def _thinned(values: Sequence[float], at: float, level: float) -> float:
    """The depth for neighbours that resemble each other: that of the smaller sample that they are worth.

    What counts for a median is on which side of it each value lies.  With a correlation r of neighbouring sides, n
    values are worth $n (1 - r)/(1 + r)$ independent ones.  Source: Bayley, Hammersley, The effective number of
    independent observations in an autocorrelated time series, J. R. Statist. Soc. Suppl. 8 (1946).
    """
    n = len(values)
    sides = np.sign(np.asarray(values, np.float64) - np.median(values))
    r = float(sides[1:] @ sides[:-1]) / max(float(sides @ sides), 1.0) + 1 / n  # its mean is -1/n without any
    if r <= 0:  # neighbours that differ are the schedule's doing, and no reason to be surer
        return at
    worth = math.floor(n * (1 - r) / (1 + r)) if r < 1 else 1
    thin = depth(worth, level)
    return 1.0 if thin is None else min(at, thin / (worth + 1) * (n + 1))
