r"""Everybody alone, before the race and after it: does being raced against others change how long it takes?

In a race a contestant finds the caches as another left them, and threads of another's pool may still be awake.  So
before the rounds and after them each rests, and is sampled in a row with nobody between.  The two disagree only where
all of these hold:

- the gap is larger than the noise floor: the race would not see a smaller one between equals;
- the interval of the isolated median, at the level corrected for the number of contestants, leaves out that of the
  race: it is more than the scatter within either;
- the median of each such block lies beyond Tukey's outer fences of the samples of the race, on their logarithms, and
  all on the same side.  A block in a row has *one* weather (frequency, neighbours), so however many samples it has, it
  is worth one round: it must be one that would be a severe outlier among the rounds.  And weather that lasts is not in
  both blocks, with the whole race between them that knows nothing of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

import numpy as np

from exp_core.timing.contestant import Contestant
from exp_core.timing.intervals import LEVEL, interval
from exp_core.timing.outliers import SEVERE, fences
from exp_core.timing.overhead import SHARE
from exp_core.timing.schedule import fastest_within

SAMPLES = 4  # in one block
BLOCKS = 2
BUDGET = 0.15  # of what is left after calibration, at most
ROUNDS_NEEDED = 6  # fewer samples have no fences worth the name


def reserve(contestants: Sequence[Contestant], left_s: float) -> dict[Contestant, float]:
    """Who will be sampled alone, and what it will cost: as many of the fastest as fit into the share."""
    costs = {c: BLOCKS * ((c.calls * SAMPLES + 1) * c.call_s + c.round_s) for c in contestants if not c.failure}
    return {c: costs[c] for c in fastest_within(costs, BUDGET * left_s)}


def disagrees(raced: Sequence[float], alone: Sequence[float], noise_floor: float | None, contestants: int) -> bool:
    """Whether the two tell different times (all in seconds)."""
    if len(raced) < ROUNDS_NEEDED or len(alone) < BLOCKS * SAMPLES or noise_floor is None:
        return False
    logs, isolated = np.log(raced).tolist(), np.log(alone).tolist()
    middle, low, high = interval(logs, LEVEL)
    value, lowest, highest = interval(isolated, 1 - (1 - LEVEL) / contestants)
    inner, outer = fences(logs, SEVERE)
    blocks = [median(isolated[start : start + SAMPLES]) for start in range(0, len(isolated), SAMPLES)]
    beyond = all(block > outer for block in blocks) or all(block < inner for block in blocks)
    apart = lowest > high or highest < low
    return beyond and apart and abs(value - middle) > math.log1p(noise_floor) + 2 * SHARE
