"""A comparison as a table with its warnings."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

from exp_core.timing.intervals import tells
from exp_core.timing.table import plain_table, seconds_text
from exp_core.timing.verdict import WITHIN

if TYPE_CHECKING:
    from exp_core.timing.result import Comparison
    from exp_core.timing.timed import Timing

HEADINGS = (
    "", "a call", "95% interval", "times", "verdict", "in flight", "cold", "cores", "outliers", "first call",
    "samples x calls",
)  # fmt: skip
KEPT = (0, 1, 3, 4, 2, 5, 6, 9, 7, 8, 10)  # the columns, the most important ones first, where the terminal is narrow
FOREIGN = 0.05  # cores of other processes that are worth a word
WIDE = 120  # columns of something that is no terminal


def as_text(comparison: Comparison, width: int | None = None) -> str:
    """The table in as many columns as the terminal has (or as are said), and what there is to say about it below."""
    width = width or shutil.get_terminal_size((WIDE, 24)).columns
    table = plain_table(HEADINGS, rows(comparison), width, KEPT)
    return "\n".join([table, *(line for note in notes(comparison) for line in textwrap.wrap(note, width))])


def rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """One row a contestant, everything in words."""
    best = comparison.fastest()
    return [_row(comparison, timing, best) for timing in comparison.timings.values()]


def _row(comparison: Comparison, timing: Timing, best: str | None) -> tuple[str, ...]:
    first = seconds_text(timing.first_call_s)
    if timing.failure or timing.median_s is None or best is None:
        return timing.name, "failed" if timing.failure else "", *[""] * 7, first, ""
    ratio = comparison.ratio(best, to=timing.name)
    return (
        timing.name,
        seconds_text(timing.median_s),
        _limits(timing.ci95),
        "" if ratio is None else f"{ratio.value:.3g}",
        "fastest" if timing.name == best else comparison.verdict(timing.name, to=best),
        seconds_text(timing.in_flight_s),
        seconds_text(timing.cold_s),
        "" if timing.busy_cores is None else f"{timing.busy_cores:.1f}",
        str(timing.outliers),
        first,
        f"{len(timing.samples)} x {timing.calls}",
    )


def _limits(ci95: tuple[float, float] | None) -> str:
    return " to ".join(seconds_text(limit) for limit in ci95) if ci95 and tells(ci95) else "not known"


def notes(comparison: Comparison) -> list[str]:
    """The noise floor, and everything that went wrong; one sentence each."""
    floor = "not known" if comparison.noise_floor is None else f"{100 * comparison.noise_floor:.2g}%"
    said = [f"noise floor {floor}; equivalent: within {100 * WITHIN:g}%; times: of the fastest, by rounds"]
    said += [f"{t.name} failed: {t.failure}" for t in comparison.timings.values() if t.failure]
    return said + warnings(comparison)


def warnings(comparison: Comparison, label: Callable[[str], str] = str) -> list[str]:
    """What may make the times doubtful, one sentence each; ``label`` says how a contestant is called there."""
    said = []
    for name in comparison.disagreements:
        timing = comparison.timings[name]
        alone, raced = seconds_text(timing.isolated_s), seconds_text(timing.median_s)
        said.append(f"{label(name)} takes {alone} alone and {raced} in the race: neighbours change it")
    if (cores := comparison.foreign_cores or 0.0) > FOREIGN:
        said.append(f"other processes used {cores:.2f} cores meanwhile")
    return said
