"""A row against the hardware's limit: the roofline's time for its cost, and what it means to be faster than that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exp_core.contestants import arrays_in
from exp_core.experiment import Cost, Inputs
from exp_core.row import Row
from exp_core.timing import seconds_text

if TYPE_CHECKING:
    from exp_core.machine import Peaks

TOLERANCE = 1.03  # peaks repeat within 3%: tests/validation holds them to it


def held_against(row: Row, peaks: Peaks, dtype: str, inputs: Inputs) -> dict[str, object]:
    """The changes to a row that was timed: its limit, and the status "impossible" if it is faster than that.

    The answer of such a row is right, and its time is what the clock said; but something is miscounted, so that it is
    no success and wins nothing.
    """
    if row.flops is None or row.bytes is None or not row.median_s:
        return {}
    working_set = max(row.bytes, float(sum(array.nbytes for array in arrays_in(inputs))))
    seconds = peaks.limit_s(Cost(row.flops, row.bytes), dtype, working_set)
    if seconds is None:
        return {}
    if seconds <= TOLERANCE * row.median_s:
        return {"limit_s": seconds}
    return {"limit_s": seconds, "status": "impossible", "reason": impossible(row, peaks, dtype, working_set, seconds)}


def impossible(row: Row, peaks: Peaks, dtype: str, working_set: float, seconds: float) -> str:
    """By how much a row is faster than the limit, and the likely cause."""
    assert row.median_s and row.bytes is not None
    peak = peaks.flops_of(dtype)
    if row.device != "cpu":
        cause = "its result was not evaluated, or its cost counts work that it does not do"
    elif row.flops and peak and row.flops / peak >= seconds:
        cause = "its cost counts operations that it does not do, or the compiler has left work out"
    else:
        rate = row.bytes / row.median_s / 1e9
        cause = f"the {rate:.3g} GB/s that its cost claims did not all come from where {working_set / 1e6:.3g} MB lie"
    times = f"{seconds / row.median_s:.2f} times as fast as this machine can be ({seconds_text(seconds)})"
    return f"{times}, also when measured anew: {cause}"
