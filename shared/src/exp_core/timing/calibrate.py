"""How many calls make one sample."""

from __future__ import annotations

import math

from exp_core.timing.overhead import SHARE
from exp_core.timing.sampler import Sampler, checked

SLOTS = 40  # the budget is cut into so many rounds
LONGEST_S = 0.05  # a longer sample is no better than two shorter ones, and fewer samples make a wider interval
MOST_CALLS = 10**8
LONG_CALL_S = 0.1  # caches fill and threads wake within milliseconds: a call as long as this needs no warm-up


def sample_length(budget_s: float, contestants: int, tick_s: float) -> float:
    """How long a sample should last, in seconds: half a slot (the other half warms up and rests), within the limits.

    tick_s: of the clock, its own cost included; it is SHARE of the sample at most.
    """
    slot = budget_s / (SLOTS * contestants)
    return max(min(slot / 2, LONGEST_S), tick_s / SHARE)


def calibrate(sampler: Sampler, target_s: float, call_s: float = 0.0) -> tuple[int, float]:
    """Calls a sample, such that it lasts ``target_s`` seconds or is one call; and the seconds of one call.

    call_s: what the warm-up saw; if one call alone is long enough, no further one is made.

    To be asked after the first call, since compilation must not count.  Trials grow tenfold at most, until one lasts a
    third of the target: that is near enough to foretell the rest.  Raises ValueError for a sampler that takes no time.
    """
    if call_s >= target_s:
        return 1, call_s
    calls = max(1, min(math.floor(target_s / (3 * call_s)), MOST_CALLS)) if call_s else 1
    while True:
        seconds = checked(sampler.sample(calls))
        odd = call_s and seconds > 3 * calls * call_s  # compiled again, for this?
        if target_s / 3 <= seconds and (seconds < LONG_CALL_S or odd):  # or only interrupted, or its threads asleep?
            seconds = min(seconds, checked(sampler.sample(calls)))
        if seconds >= target_s / 3 or calls >= MOST_CALLS:
            break
        factor = target_s / seconds if seconds > 0 else math.inf
        calls = min(math.ceil(calls * min(factor, 10)), MOST_CALLS)
    if seconds == 0:
        raise ValueError(f"{calls} calls took no time at all")
    per_call = seconds / calls
    return max(1, min(round(target_s / per_call), MOST_CALLS)), per_call
