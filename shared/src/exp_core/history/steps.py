r"""When did a ratio take a step?  A test for a change in level that several machines may share a series.

The values are $y_i = \log(ratio_i)$ in the order of time, each from some machine.  A machine has its own level (wider
vectors help the one more than the other), so values are only ever compared with values of the same machine: each is
replaced by its rank among them, centred and divided by $n_m + 1$ (van Elteren's weights).  With $s_i$ these scores,
the statistic of a step before $t$ is

$$ T_t = \frac{|\sum_{i \ge t} s_i|}{\sqrt{\sum_m v_m k_m (n_m - k_m) / (n_m - 1)}} $$

where $k_m$ of the $n_m$ values of machine m come at or after t, and $v_m$ is the variance of its scores: the
denominator is the standard deviation of the sum if the order within each machine meant nothing.  Where a step and a
change of machine fall together it is 0, and nothing can be said.  If nothing happened, all orders within the machines
are equally likely; so the largest $T_t$ is held against those of shuffled series, which needs no assumption on the
noise's shape, and there is a step if at most the share ``ALPHA`` of these would have shown one.  Where it is, least
absolute deviations say.  Then both parts are searched (binary segmentation).  That level holds for independent runs; a
slow drift is a change, and is found as one.

A step is also at least as large as what counts as equivalent elsewhere.  Few runs cannot prove anything: even a step
that is plain to see takes some five runs before it and five after, since fewer have too few orders to be rare among.

Sources: van Elteren, On the combination of independent two-sample tests of Wilcoxon (1960); Pettitt, A non-parametric
approach to the change-point problem, Appl. Statist. 28 (1979); Antoch, Hušková, Permutation tests in change point
analysis, Stat. Probab. Lett. 53 (2001); Vostrikova, Detecting disorder in multidimensional random processes (1981).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exp_core.timing.verdict import WITHIN

ALPHA = 0.01
SHUFFLES = 999  # the smallest p-value is 1/1000, a tenth of ALPHA
MOST = 1000  # values that are searched, the newest

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """A change of level.

    at: the place of the first value after it.  factor: what the ratio was multiplied by.  p: how often a shuffled
    series looks as if it had one.
    """

    at: int
    factor: float
    p: float


def steps(ratios: Sequence[float], machines: Sequence[str], seed: int = 0) -> list[Step]:
    """The steps of a series of positive ratios in the order of time, each measured on the machine beside it."""
    first = max(len(ratios) - MOST, 0)
    y = np.log(np.asarray(ratios[first:], np.float64))
    _, m = np.unique(np.asarray(machines[first:], object).astype(str), return_inverse=True)
    rng = np.random.default_rng(seed)
    found: list[Step] = []
    todo = [(0, y.size)]
    while todo:
        start, stop = todo.pop()
        step = _step(y[start:stop], m[start:stop], rng)
        if step is not None:
            found.append(Step(first + start + step.at, step.factor, step.p))
            todo += [(start, start + step.at), (start + step.at, stop)]
    return sorted(found, key=lambda step: step.at)


def _step(y: Floats, m: NDArray[np.intp], rng: np.random.Generator) -> Step | None:
    """The likeliest step of a series, if it has one."""
    scores, deviation = _scores(y, m)
    if not deviation.any():
        return None
    statistic = _statistics(scores[None], deviation)[0]
    shuffled = np.tile(scores, (SHUFFLES, 1))
    for machine in np.unique(m):
        here = np.flatnonzero(m == machine)
        shuffled[:, here] = rng.permuted(scores[here][None].repeat(SHUFFLES, 0), axis=1)
    largest = _statistics(shuffled, deviation).max(axis=1)
    p = (1 + int((largest >= statistic.max() * (1 - 1e-12)).sum())) / (1 + SHUFFLES)  # equal but for rounding is equal
    if p > ALPHA:
        return None
    at = _place(y, m, deviation)
    shift = _shift(y, m, at)
    return Step(at, math.exp(shift), p) if abs(shift) >= math.log1p(WITHIN) else None


def _scores(y: Floats, m: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Each value's score, and for each t the standard deviation of the sum of those from t on; both of shape (n,)."""
    n = y.size
    scores, variance = np.zeros(n), np.zeros(n)
    for machine in np.unique(m):
        here = m == machine
        count = int(here.sum())
        if count < 2:
            continue
        values = y[here]
        below = (values[None] < values[:, None]).sum(axis=1)
        equal = (values[None] == values[:, None]).sum(axis=1)
        s = (below + (equal + 1) / 2 - (count + 1) / 2) / (count + 1)  # ties share their middle rank
        scores[here] = s
        after = np.cumsum(here[::-1])[::-1]
        variance += float(s @ s) / count * after * (count - after) / (count - 1)
    return scores, np.sqrt(variance)


def _statistics(scores: Floats, deviation: Floats) -> Floats:
    """T for every t, of each of several series of scores: shape (series, n)."""
    sums = np.abs(np.cumsum(scores[:, ::-1], axis=1)[:, ::-1])
    return np.divide(sums, deviation, out=np.zeros_like(sums), where=deviation > 0)


def _place(y: Floats, m: NDArray[np.intp], deviation: Floats) -> int:
    """The t for which medians before and after, of each machine, leave the smallest sum of absolute deviations.

    Source: Bai, Least absolute deviation estimation of a shift, Econometric Theory 11 (1995).
    """
    machines = [m == machine for machine in np.unique(m)]

    def left_over(t: int) -> float:
        sides = [part for here in machines for part in (y[:t][here[:t]], y[t:][here[t:]]) if part.size]
        return float(sum(np.abs(side - np.median(side)).sum() for side in sides))

    return min((int(t) for t in np.flatnonzero(deviation)), key=left_over)


def _shift(y: Floats, m: NDArray[np.intp], at: int) -> float:
    """How far the values from ``at`` on lie above those before: the median over all pairs of one machine.

    Source: Hodges, Lehmann, Estimates of location based on rank tests, Ann. Math. Statist. 34 (1963).
    """
    pairs = [np.subtract.outer(y[at:][m[at:] == k], y[:at][m[:at] == k]).ravel() for k in np.unique(m)]
    differences = np.concatenate(pairs)
    return float(np.median(differences)) if differences.size else 0.0
