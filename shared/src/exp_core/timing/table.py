"""A few aligned columns of text."""

from __future__ import annotations

from collections.abc import Sequence

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
LEAST_COLUMNS = 4  # are shown however narrow the terminal
SHORTEST_NAME = 8


def seconds_text(seconds: float | None) -> str:
    """Seconds with three digits and a fitting unit: ``"1.23 ms"``; empty for None."""
    if seconds is None:
        return ""
    size, unit = next(((s, u) for s, u in UNITS if seconds >= s), UNITS[-1])
    value = seconds / size
    return f"{value:.0f} {unit}" if value >= 1000 else f"{value:.3g} {unit}"


def plain_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], width: int = 10_000, kept: Sequence[int] = ()
) -> str:
    """The first column flush left, the others flush right, no trailing blanks.

    width: characters that there are.  Where they are too few, columns are left out, the first ones of ``kept`` going
    last (all are alike that are not in it), and then the names in the first column are cut.
    """
    table = [headings, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    columns = used(rows, len(headings))
    for column in [c for c in reversed(kept[1:]) if c in columns]:
        if sum(widths[c] + 2 for c in columns) - 2 <= width or len(columns) <= LEAST_COLUMNS:
            break
        columns.remove(column)
    widths[0] = min(widths[0], max(width - sum(widths[c] + 2 for c in columns[1:]), SHORTEST_NAME))
    lines = []
    for row in table:
        name = row[0] if len(row[0]) <= widths[0] else row[0][: widths[0] - 1] + "…"
        cells = [name.ljust(widths[0])] + [row[c].rjust(widths[c]) for c in columns[1:]]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def used(rows: Sequence[Sequence[str]], columns: int) -> list[int]:
    """The columns in which anybody has something to say, and the first."""
    return [c for c in range(columns) if c == 0 or any(row[c] for row in rows)]
