"""A row against the hardware's limit: the roofline's time for its cost, and what it means to be faster than that.

The fraction of the limit is a ratio of two times, the limit's and the row's.  Where the limit was raced in turns with
the rows (``machine.in_turns``), the fraction is the median of the ratios within rounds, with its interval, as against
the library; else it is what the machine's record says, which was measured at another time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from exp_core.experiment import Cost, Inputs
from exp_core.machine.in_turns import Rate, What
from exp_core.machine.roofline import RATE_OF
from exp_core.nests import arrays_in
from exp_core.row import Row
from exp_core.timing import Comparison, Ratio, seconds_text

if TYPE_CHECKING:
    from exp_core.machine import Peaks

TOLERANCE = 1.03  # peaks repeat within 3%: tests/validation holds them to it
NEAR = 1.5  # times: of work that takes so much less than the rest of it, no weather makes the limit


@dataclass(frozen=True, slots=True)
class Work:
    """What a row does, and where: its cost, and the bytes that it comes back to.

    working_set: what there is (the inputs, and what is stored beside them), but no more than moves at all: a hundred
        passes over a small array come from the cache that holds it.  Less, where the cost says so (``Cost.again``).
    """

    cost: Cost
    working_set: float

    @classmethod
    def of(cls, cost: Cost, inputs: Inputs, result: object) -> Work:
        """The work of an implementation that has returned this."""
        there = _bytes_of(inputs) + max(cost.memory, _bytes_of(result))
        return cls(cost, min(cost.bytes, there if cost.again is None else cost.again))

    def demands(self, peaks: Peaks, dtype: str) -> dict[Rate, float]:
        """The rates that may limit it on this machine, and how much it needs of each: operations, bytes."""
        peak = peaks.flops_of(dtype)
        compute_s = self.cost.flops / peak if peak else 0.0
        memory_s = self.cost.bytes / peaks.bandwidth_at(self.working_set, self.cost.writes)
        found: dict[Rate, float] = {}
        if compute_s * NEAR >= memory_s and compute_s > 0:
            found[Rate(cast("What", RATE_OF.get(dtype, dtype)))] = self.cost.flops
        if memory_s * NEAR >= compute_s and memory_s > 0:
            rate = Rate.of_memory(self.cost.writes, self.working_set, peaks.threads)
            found[rate] = self.cost.bytes
        return found


def in_turns(comparison: Comparison, key: str, demands: Mapping[Rate, float]) -> Ratio | None:
    """The fraction of the limit that a row reached in the race; None where not all that it needs was in the race.

    What the row needs most of decides.
    """
    found: list[Ratio] = []
    for rate, amount in demands.items():
        ratio = comparison.ratio(key, rate.name) if rate.name in comparison.beside else None
        if ratio is None:
            return None
        times = amount / rate.amount
        ci95 = None if ratio.ci95 is None else (times * ratio.ci95[0], times * ratio.ci95[1])
        found.append(Ratio(times * ratio.value, ci95))
    return max(found, key=lambda ratio: ratio.value, default=None)


def held_against(row: Row, peaks: Peaks, dtype: str, work: Work, raced: Ratio | None = None) -> dict[str, object]:
    """The changes to a row that was timed: its limit, and the status "impossible" if it is faster than that.

    raced: the fraction of the limit as measured in turns with it.  Where even the lower end of its interval lies beyond
        the limit, what was raced is none, and the record decides, which has seen the best of many.

    The answer of such a row is right, and its time is what the clock said; but something is miscounted, so that it is
    no success and wins nothing.
    """
    if not row.median_s:
        return {}
    if raced and min(raced.ci95 or (raced.value,)) <= TOLERANCE:
        return {"limit_s": raced.value * row.median_s, "fraction_ci95": raced.ci95}
    seconds = peaks.limit_s(work.cost, dtype, work.working_set)
    if seconds is None:
        return {}
    changes: dict[str, object] = {"limit_s": seconds, "fraction_ci95": None}
    if seconds <= TOLERANCE * row.median_s:
        return changes
    return changes | {"status": "impossible", "reason": impossible(row, peaks, dtype, work, seconds)}


def impossible(row: Row, peaks: Peaks, dtype: str, work: Work, seconds: float) -> str:
    """By how much a row is faster than the limit, and the likely cause."""
    assert row.median_s
    peak = peaks.flops_of(dtype)
    memory_s = work.cost.bytes / peaks.bandwidth_at(work.working_set, work.cost.writes)
    if row.device != "cpu":
        cause = "its result was not evaluated, or its cost counts work that it does not do"
    elif work.cost.flops and peak and work.cost.flops / peak >= memory_s:
        cause = "its cost counts operations that it does not do, or the compiler has left work out"
    else:
        rate, size = work.cost.bytes / row.median_s / 1e9, work.working_set / 1e6
        cause = f"the {rate:.3g} GB/s that its cost claims did not all come from where {size:.3g} MB lie"
    times = f"{seconds / row.median_s:.2f} times as fast as this machine can be ({seconds_text(seconds)})"
    return f"{times}, also when measured anew: {cause}"


def _bytes_of(value: object) -> float:
    return float(sum(array.nbytes for array in arrays_in(value)))


def rates_of(demands: Iterable[Mapping[Rate, float]]) -> set[Rate]:
    """All that has to be in a race for these."""
    return {rate for each in demands for rate in each}
