"""How many calls make one sample."""

from __future__ import annotations

import math

from exp_core.timing.sampler import Sampler

TICKS = 1000  # a sample lasts at least so many ticks of the clock: reading it is then an error of 0.1% at most
SLOTS = 40  # the budget is cut into so many rounds
LONGEST_S = 0.05  # a longer sample is no better than two shorter ones, and fewer samples make a wider interval
MOST_CALLS = 10**8
LONG_CALL_S = 0.1  # caches fill and threads wake within milliseconds: a call as long as this needs no warm-up


def sample_length(budget_s: float, contestants: int, tick_s: float) -> float:
    """How long a sample should last, in seconds: half a slot (the other half warms up and rests), within the limits."""
    slot = budget_s / (SLOTS * contestants)
    return max(min(slot / 2, LONGEST_S), TICKS * tick_s)


def calibrate(sampler: Sampler, target_s: float) -> tuple[int, float]:
    """Calls a sample, such that it lasts ``target_s`` seconds or is one call; and the seconds of one call.

    To be asked after the first call, since compilation must not count.  Trials grow tenfold at most, until one lasts a
    third of the target: that is near enough to foretell the rest.  Raises ValueError for a sampler that takes no time.
    """
    calls = 1
    while True:
        seconds = checked(sampler.sample(calls))
        if target_s / 3 <= seconds < LONG_CALL_S:  # or has it only been interrupted, or its threads been asleep?
            seconds = min(seconds, checked(sampler.sample(calls)))
        if seconds >= target_s / 3 or calls >= MOST_CALLS:
            break
        factor = target_s / seconds if seconds > 0 else math.inf
        calls = min(math.ceil(calls * min(factor, 10)), MOST_CALLS)
    if seconds == 0:
        raise ValueError(f"{calls} calls took no time at all")
    per_call = seconds / calls
    return max(1, min(round(target_s / per_call), MOST_CALLS)), per_call


def checked(seconds: float) -> float:
    """Seconds as a sampler returned them.  Raises ValueError if they cannot be a duration."""
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"a sample of {seconds} seconds is not a duration")
    return seconds
