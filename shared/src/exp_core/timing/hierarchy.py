r"""Rounds within processes: what differs from one fresh process to the next does not average out in any one of them.

Where the memory of a process lies, and in which order its code was loaded, may move its times by some per cent, for as
long as it lives.  So the processes are drawn with replacement first, then the rounds within each that was drawn; each
has one vote, its median, and the result is their mean.

With few processes such an interval is too short: drawing G things loses a factor of $\sqrt{(G-1)/G}$, and the normal
quantile should be Student's.  Both are put right by stretching it.  Sources: Kalibera, Jones, Rigorous benchmarking in
reasonable time (ISMM 2013), for the hierarchy; Hesterberg, What teachers should know about the bootstrap, The American
Statistician 69 (2015), for the stretching.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from exp_core.timing import student

RESAMPLES = 1000


def split(values: Sequence[float], groups: Sequence[int]) -> list[Sequence[float]]:
    """The values of each process, in order.  Raises ValueError where the groups do not add up to all of them."""
    if groups and sum(groups) != len(values):
        raise ValueError(f"groups of {groups} are not {len(values)} values")
    ends = list(accumulate(groups or (len(values),)))
    return [values[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def grouped_medians(values: Sequence[float], groups: Sequence[int], seed: int) -> NDArray[np.float64]:
    """Means of medians of processes, for RESAMPLES draws of processes, and of rounds in each; shape (RESAMPLES,)."""
    parts = [np.asarray(part, np.float64) for part in split(values, groups) if len(part)]
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(parts), size=(RESAMPLES, len(parts)))
    sums = np.zeros(RESAMPLES)
    for number, part in enumerate(parts):
        votes = (drawn == number).sum(axis=1)
        for vote in range(int(votes.max(initial=0))):  # each time that it is drawn, its rounds are drawn anew
            rounds = rng.integers(part.size, size=(RESAMPLES, part.size))
            sums += np.where(votes > vote, np.median(part[rounds], axis=1), 0.0)
    means: NDArray[np.float64] = sums / len(parts)
    return means


def grouped_interval(
    values: Sequence[float], groups: Sequence[int], seed: int, level: float
) -> tuple[float, float, float]:
    """The mean of the processes' medians, and the limits of its interval at this level.

    At least two processes must have given something: raises ValueError otherwise.
    """
    medians = [float(np.median(part)) for part in split(values, groups) if len(part)]
    g = len(medians)
    if g < 2:
        raise ValueError("one process alone has no hierarchy")
    middle = sum(medians) / g
    tail = (1 - level) / 2
    low, high = np.quantile(grouped_medians(values, groups, seed), [tail, 1 - tail])
    normal = NormalDist().inv_cdf(1 - tail)
    stretch = math.sqrt(g / (g - 1)) * student.quantile(level, g - 1) / normal
    return middle, middle + stretch * min(float(low) - middle, 0.0), middle + stretch * max(float(high) - middle, 0.0)
