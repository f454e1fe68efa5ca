"""A few aligned columns, as text and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def seconds_text(seconds: float | None) -> str:
    """Seconds with three digits and a fitting unit: ``"1.23 ms"``; empty for None."""
    if seconds is None:
        return ""
    size, unit = next(((s, u) for s, u in UNITS if seconds >= s), UNITS[-1])
    value = seconds / size
    return f"{value:.0f} {unit}" if value >= 1000 else f"{value:.3g} {unit}"


def plain_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column flush left, the others flush right, no trailing blanks."""
    table = [headings, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    lines = []
    for row in table:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def html_table(headings: Sequence[str], rows: Sequence[Sequence[str]], note: str) -> str:
    """The same for a notebook; every cell is escaped."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{escape(note)}</p>"
