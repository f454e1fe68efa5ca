"""What follows from a race for the rows of a ladder, and what has to be said below its table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

from exp_core.catalogue import Entry
from exp_core.machine import verify_threads
from exp_core.raced import Raced
from exp_core.row import Row
from exp_core.timing import Comparison, seconds_text, warnings

COMPILED = ("compiled", "kernel")  # rungs whose first call compiles
SPINNING = 0.25  # cores above the limit that are one thread too many: the clock of threads ticks in milliseconds

Label = Callable[[str], str]


def raced(comparison: Comparison, key: str, library: str | None, rows: Mapping[str, Row]) -> Raced:
    """What the race knows about a row that has samples; ``library`` is the row that it is held against."""
    timing = comparison.timings[key]
    plain = fastest(rows, lambda row: row.device == rows[key].device and row.rung not in COMPILED)
    after = comparison.pays_off_after(key, plain) if plain and rows[key].rung in COMPILED else None
    return Raced(
        verdict=comparison.verdict(key, to=library) if library not in (None, key) else None,
        pays_off_after=after,
        pays_off_against=rows[plain].name if plain and after is not None else None,
        samples=timing.samples,
        calls=timing.calls,
        warm_up_calls=timing.warm_up_calls,
        outliers=asdict(timing.outlier_kinds),
        isolated_s=timing.isolated_s,
        busy_cores=timing.busy_cores,
        in_flight_s=timing.in_flight_s,
        cold_s=timing.cold_s,
    )


def fastest(rows: Mapping[str, Row], among: Callable[[Row], bool]) -> str | None:
    """The key of the fastest timed row among some."""
    times = {key: row.median_s for key, row in rows.items() if row.median_s and among(row)}
    return min(times, key=times.__getitem__, default=None)


def remarks(comparison: Comparison, rows: Mapping[str, Row], threads: int, label: Label) -> tuple[str, ...]:
    """Whatever may make the numbers doubtful, and when compilation pays off; one sentence each."""
    said = [*warnings(comparison, label), *(f"after the race {odd}" for odd in verify_threads(threads))]
    for key, row in rows.items():
        if row.race and (row.race.busy_cores or 0.0) > threads + SPINNING:
            said.append(f"{label(key)} kept {row.race.busy_cores:.1f} cores busy, and {threads} is the limit for all")
    for key, row in rows.items():
        if row.race and (row.race.pays_off_after or 0.0) > 1:
            first, calls = row.first_call_s, row.race.pays_off_after
            said.append(
                f"{label(key)} has paid for its first call of {seconds_text(first)} after {calls:,.0f} calls, "
                f"against {row.race.pays_off_against}"
            )
    return tuple(said)


def why_slower(rows: Mapping[str, Row], entry: Entry) -> Iterator[str]:
    """The experiment's own words for it, if a library is faster than all of ours."""
    from exp_core.report.docstring import why_the_library_wins

    ours = fastest(rows, lambda row: row.rung not in ("library", "yours"))
    race = rows[ours].race if ours else None
    if race and race.verdict == "slower" and (why := why_the_library_wins(entry.docstring)):
        yield why
