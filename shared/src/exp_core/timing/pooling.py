"""Several races of the same contestants, each in a fresh process, as one; and the pairs of rounds in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from statistics import median

from exp_core.timing.timed import Timing


def pooled_timing(timings: Sequence[Timing], seed: int) -> Timing:
    """One contestant's timings of several processes.  If it failed anywhere it has failed; the samples are kept."""
    firsts = [t.first_call_s for t in timings if t.first_call_s is not None]
    busy = [t.busy_cores for t in timings if t.busy_cores is not None]
    failures = dict.fromkeys(t.failure for t in timings if t.failure)
    return Timing.of(
        timings[0].name,
        median(firsts) if firsts else None,
        tuple(chain.from_iterable(t.samples for t in timings)),
        round(median(t.calls for t in timings)),
        "; ".join(failures),
        seed,
        groups=tuple(chain.from_iterable(t.groups or (len(t.samples),) for t in timings)),
        isolated=tuple(chain.from_iterable(t.isolated for t in timings)),
        warm_up_calls=max(t.warm_up_calls for t in timings),
        busy_cores=max(busy, default=None),
        in_flight=tuple(chain.from_iterable(t.in_flight for t in timings)),
        cold=tuple(chain.from_iterable(t.cold for t in timings)),
    )


def common_rounds(one: Timing, other: Timing) -> tuple[list[float], list[float], tuple[int, ...]]:
    """The samples of those rounds in which both took part, and how many of them each process gave.

    Raises ValueError if the two were not timed in the same processes.
    """
    a: list[float] = []
    b: list[float] = []
    groups: list[int] = []
    for mine, others in zip(one.by_process(), other.by_process(), strict=True):
        both = min(len(mine), len(others))
        a += mine[:both]
        b += others[:both]
        groups += [both] if both else []
    return a, b, tuple(groups)
