"""Calls that are not counted, until there is evidence that more of them would change nothing.

How many calls warm something up cannot be told beforehand: caches fill in one, a second specialisation is compiled
when it is first needed, a processor takes milliseconds to reach its frequency.  So blocks are timed, and as long as the
last five are faster than the five before them by the rank test, another five follow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from exp_core.timing.clock import Clock, Stopwatch
from exp_core.timing.sampler import Sampler, checked

WINDOW = 5  # blocks
ALIKE = 5  # U from here on: under 5 the newer blocks are faster by more than chance (one-sided, 5 against 5: 4.8%)
BLOCK_S = 2e-5  # a block lasts as long: the reading of the clock is then some 0.3% of it, far less than the noise
MOST_CALLS = 10**8


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What it took: ``calls`` calls; and ``call_s``, the median seconds of one call in the last blocks.

    settled: whether it ended by evidence, and not because time was up.
    """

    calls: int
    call_s: float
    settled: bool


def warm_up(sampler: Sampler, allowance_s: float, clock: Clock) -> WarmUp:
    """Call until the times no longer fall, or the allowance is used; once at least."""
    watch = Stopwatch(clock)
    seconds = checked(sampler.sample(1))
    calls, block = 1, 1
    while seconds < BLOCK_S and block < MOST_CALLS:  # so many calls make a block
        block = min(block * 10 if seconds == 0 else math.ceil(block * min(10.0, 1.5 * BLOCK_S / seconds)), MOST_CALLS)
        seconds = checked(sampler.sample(block))
        calls += block
    times = [seconds]
    while watch.elapsed() + times[-1] <= allowance_s:
        times.append(checked(sampler.sample(block)))
        calls += block
        if len(times) % WINDOW == 0 and len(times) > WINDOW and not _falls(times[-2 * WINDOW :]):
            return WarmUp(calls, _median(times[-WINDOW:]) / block, True)
    return WarmUp(calls, _median(times[-WINDOW:]) / block, False)


def _falls(times: list[float]) -> bool:
    """Whether the later half is faster than the earlier by the one-sided rank test.

    U counts the pairs in which the later one is the slower.  Source: Mann, Whitney, On a test of whether one of two
    random variables is stochastically larger than the other, Ann. Math. Statist. 18 (1947), table I.
    """
    earlier, later = times[:WINDOW], times[WINDOW:]
    u = sum((after > before) + 0.5 * (after == before) for before in earlier for after in later)
    return u < ALIKE


def _median(times: list[float]) -> float:
    return sorted(times)[(len(times) - 1) // 2]
