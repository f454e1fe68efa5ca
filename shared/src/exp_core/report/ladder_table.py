"""The ladder's table in a terminal, and what may be left out of it where that is narrow."""

from __future__ import annotations

import math
from typing import Literal

from rich.table import Table
from rich.text import Text

from exp_core.raced import Raced
from exp_core.report.console import one_line, plain_table
from exp_core.report.units import duration, factor, percent, percents, rate, scientific, size, spread
from exp_core.results import Result
from exp_core.row import Row

MARKS = {
    "ok": ("✓", "green"),
    "wrong": ("✗", "bold red"),
    "unstable": ("~", "yellow"),
    "failed": ("!", "bold red"),
    "impossible": ("?", "bold magenta"),
}
VERDICTS = {"faster": "bold green", "slower": "red"}
CONDITIONS = ("in flight", "cold")  # that were not asked for, or make no sense here, in most runs
Justify = Literal["left", "right"]


def ladder_table(result: Result, width: int, verbose: bool) -> Table:
    """Columns in order of their worth: a narrow terminal loses the last ones, never the sense of a cell."""
    rows = result.rows
    devices = {row.device for row in rows}
    figures = list(dict.fromkeys(name for row in rows for name in row.figures))
    table = plain_table()
    columns: list[tuple[str, Justify, list[Text], int]] = [
        ("", "left", [Text(*mark(row)) for row in rows], 0),
        ("implementation", "left", [one_line(row.name, _style(row)) for row in rows], 0),
        ("time", "right", [Text(duration(row.median_s)) for row in rows], 0),
        ("× library", "right", [_ratio(row) for row in rows], 0),
        ("error", "right", [Text(scientific(row.worst.error) if row.worst else "–") for row in rows], 1),
        ("bound", "right", [Text(f"≤ {scientific(row.worst.bound)}" if row.worst else "–") for row in rows], 1),
        ("of limit", "right", [_of_limit(row) for row in rows], 2),
        ("limit 95 %", "right", [Text(percents(row.fraction_ci95), style="dim") for row in rows], 7),
        ("rung", "left", [Text(row.rung, style="dim") for row in rows], 3),
        ("95 %", "right", [Text(spread(row.ratio_ci95), style="dim") for row in rows], 5),
        ("rate", "right", [Text(rate(row)) for row in rows], 4),
        ("first call", "right", [Text(duration(row.first_call_s), style="dim") for row in rows], 6),
        ("memory", "right", [Text(size(row.peak_memory_bytes), style="dim") for row in rows], 8),
        ("in flight", "right", [Text(duration(_of(row).in_flight_s)) for row in rows], 3),
        ("cold", "right", [Text(duration(_of(row).cold_s)) for row in rows], 3),
    ]
    if len(devices) > 1 or devices != {"cpu"}:
        columns.insert(2, ("device", "left", [Text(_device(row)) for row in rows], 0))
    columns += [(name, "right", [Text(_figure(row.figures.get(name))) for row in rows], 7) for name in figures]
    columns = [
        column
        for column in columns
        if (verbose and column[0] not in CONDITIONS) or any(cell.plain not in ("–", "") for cell in column[2])
    ]
    while 1 + sum(_width(column) for column in columns) > width and max(column[3] for column in columns) > 0:
        columns.remove(max(columns, key=lambda column: column[3]))
    for title, justify, _, _ in columns:
        table.add_column(title, justify=justify, no_wrap=True, overflow="ellipsis")
    for cells in zip(*(cells for _, _, cells, _ in columns), strict=True):
        table.add_row(*cells)
    return table


def _device(row: Row) -> str:
    return f"{row.device}, emulated" if row.emulated else row.device


def _of(row: Row) -> Raced:
    return row.race or Raced()


def _width(column: tuple[str, Justify, list[Text], int]) -> int:
    return max(len(column[0]), *(cell.cell_len for cell in column[2])) + 3  # a blank on both sides and one between


def mark(row: Row) -> tuple[str, str]:
    return MARKS.get(row.status, ("–", "dim"))


def _style(row: Row) -> str:
    return {"ok": "", "skipped": "dim"}.get(row.status, MARKS.get(row.status, ("", ""))[1])


def _of_limit(row: Row) -> Text:
    """The fraction; more than all of it stands out, since it cannot be."""
    return Text(percent(row.fraction_of_limit), style=MARKS["impossible"][1] if row.status == "impossible" else "")


def _ratio(row: Row) -> Text:
    """Green where the verdict is faster, red where it is slower, plain where nobody knows or both are alike."""
    text = Text(factor(row.ratio_to_library))
    verdict = _of(row).verdict
    if verdict in VERDICTS:
        text.stylize(VERDICTS[verdict])
    return text


def _figure(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:,.4g}" if value < 1e6 else f"{value:.3g}"
