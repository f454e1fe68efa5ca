"""The size from which one implementation is the faster one.

Between two sizes the logarithm of the ratio of two times is taken to be linear in log n, as it is for two powers.  A
crossover is reported only between sizes at which both orders are certain (the ratio's 95% interval leaves out 1 and the
noise floor); its interval comes from drawing both times anew within their intervals and looking where the lines cross.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from exp_core.scaling.laws import Floats

DRAWS = 2000
NORMAL_95 = 1.959964  # the normal distribution's 97.5% quantile


@dataclass(frozen=True, slots=True)
class Times:
    """One implementation's times by size, seconds, with their 95% intervals."""

    name: str
    median_s: Mapping[float, float]
    ci95: Mapping[float, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Crossover:
    """From the size ``at`` on, ``faster`` takes less time than ``slower``, which led before.

    ci95: 95% interval of the size; between: the two measured sizes at which the order is certain.
    """

    faster: str
    slower: str
    at: float
    ci95: tuple[float, float]
    between: tuple[float, float]
    overall: bool = False

    def __str__(self) -> str:
        low, high = self.ci95
        return f"{self.faster} overtakes {self.slower} at {self.at:.3g} ({low:.3g}–{high:.3g})"


def crossovers(
    contestants: Sequence[Times], floor: Mapping[float, float] | None = None, seed: int = 0
) -> tuple[Crossover, ...]:
    """Every crossover of every pair, by size; ``overall`` marks those at which the fastest of all changes.

    floor: the noise floor at each size: gaps that an implementation shows against itself.
    """
    rng = np.random.default_rng(seed)
    found = [c for one, other in combinations(contestants, 2) for c in _pair(one, other, floor or {}, rng)]
    marked = [Crossover(c.faster, c.slower, c.at, c.ci95, c.between, overall=_leads(c, contestants)) for c in found]
    return tuple(sorted(marked, key=lambda c: c.at))


def _pair(one: Times, other: Times, floor: Mapping[float, float], rng: np.random.Generator) -> list[Crossover]:
    sizes = sorted(set(one.median_s) & set(other.median_s))
    if len(sizes) < 2:
        return []
    x = np.log(sizes)
    r = np.array([math.log(one.median_s[n] / other.median_s[n]) for n in sizes])
    s = np.array([math.hypot(_deviation(one, n), _deviation(other, n)) for n in sizes])
    margin = np.maximum(NORMAL_95 * s, [math.log1p(floor.get(n, 0.0)) for n in sizes])
    certain = [i for i in range(len(sizes)) if abs(r[i]) > margin[i]]
    found: list[Crossover] = []
    for i, j in pairwise(certain):
        if r[i] * r[j] > 0:
            continue
        draws = r[i : j + 1] + s[i : j + 1] * rng.standard_normal((DRAWS, j - i + 1))
        at = _crossing(x[i : j + 1], r[None, i : j + 1])[0]
        low, high = np.quantile(_crossing(x[i : j + 1], draws), [0.025, 0.975])
        fast, slow = (one, other) if r[j] < 0 else (other, one)
        interval = (min(math.exp(low), math.exp(at)), max(math.exp(high), math.exp(at)))
        found.append(Crossover(fast.name, slow.name, math.exp(at), interval, (sizes[i], sizes[j])))
    return found


def _deviation(times: Times, n: float) -> float:
    """Standard deviation of the logarithm of a time, from its interval."""
    low, high = times.ci95.get(n, (times.median_s[n], times.median_s[n]))
    return math.log(high / low) / (2 * NORMAL_95) if low > 0 else 0.0


def _crossing(x: Floats, r: Floats) -> Floats:
    """Where each row's line of ratios crosses 0: the middle one of an odd number; an end if it does not."""
    turned = np.sign(r[:, :-1]) != np.sign(r[:, 1:])
    count = turned.sum(axis=1)
    rank = np.cumsum(turned, axis=1)
    middle = np.argmax(rank >= ((count + 1) // 2)[:, None], axis=1)
    row = np.arange(r.shape[0])
    left, right = r[row, middle], r[row, middle + 1]
    gap = np.where(left == right, 1.0, left - right)
    at = x[middle] + np.clip(left / gap, 0, 1) * (x[middle + 1] - x[middle])
    expected_left = np.sign(r[:, 0])
    nearer = np.where(np.abs(r[:, 0]) < np.abs(r[:, -1]), x[0], x[-1])
    found: Floats = np.where((count > 0) & (expected_left != 0), at, nearer)
    return found


def _leads(crossover: Crossover, contestants: Sequence[Times]) -> bool:
    """Whether the two are the fastest of all before and after."""
    low, high = crossover.between
    before = min((c for c in contestants if low in c.median_s), key=lambda c: c.median_s[low])
    after = min((c for c in contestants if high in c.median_s), key=lambda c: c.median_s[high])
    return (before.name, after.name) == (crossover.slower, crossover.faster)
