"""A ladder as a piece of HTML: the same table in a notebook and in the Book.  No script, nothing to load."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from exp_core.report.docstring import readable
from exp_core.report.html_bars import Scale, bar, rung_class
from exp_core.report.html_notes import laws, said
from exp_core.report.html_words import class_of, text
from exp_core.report.ladder_table import MARKS
from exp_core.report.units import factor, percent, percents, rate, scientific, size, spread
from exp_core.results import Result
from exp_core.row import Row
from exp_core.timing.table import seconds_text

WORDS = {
    "ok": "right",
    "wrong": "wrong",
    "unstable": "unstable here, as theory says",
    "skipped": "skipped",
    "failed": "failed",
    "impossible": "faster than the limit: to be explained",
}
CONDITIONS = (("in flight", "in_flight_s"), ("cold", "cold_s"))


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its HTML, and what it is sorted by (None: last)."""

    html: str
    value: float | str | None = None


def ladder_html(result: Result, *, style: bool = True) -> str:
    """The measured ladder: times as bars with their intervals, ratios, errors against bounds, fraction of the limit.

    style: bring the style sheet along; without it the page must have ``ladder_css()``.
    Every text of the result is escaped.  Light and dark follow the notebook's theme, else the reader's preference.
    """
    given = (result.problem, result.sizes_text, result.dtype, f"seed {result.seed}", result.cluster)
    sheet = f"<style>{ladder_css()}</style>" if style else ""
    caption = f"<b>{text(result.title)}</b><span>{text(' · '.join(filter(None, given)))}</span>"
    return (
        f'<div class="exp-ladder">{sheet}<div class="exp-scroll" tabindex="0" role="group" '
        f'aria-label="measured ladder"><table><caption>{caption}</caption>{_table(result)}</table></div>'
        f"{said(result)}{laws(result)}</div>"
    )


def ladder_css() -> str:
    """The style sheet of the table, all of it within ``.exp-ladder``."""
    return files("exp_core.report").joinpath("ladder.css").read_text(encoding="utf-8")


def _table(result: Result) -> str:
    """Columns in which nobody has something to say are left out."""
    rows = result.rows
    scale = Scale.of(rows)
    columns: list[tuple[str, str, list[Cell]]] = [
        ("implementation", "", [_name(row) for row in rows]),
        ("rung", "", [_rung(row) for row in rows]),
        ("device", "", [Cell(text(_device(row)), _device(row)) for row in rows]),
        ("time", "n", [_timed(row.median_s) for row in rows]),
        ("log scale", "bar", [Cell(bar(row, scale)) for row in rows]),
        ("× library", "n", [_ratio(row) for row in rows]),
        ("error ≤ bound", "n", [_error(row) for row in rows]),
        ("of limit", "n", [_limit(row) for row in rows]),
        ("rate", "n", [Cell(_known(rate(row))) for row in rows]),
        ("first call", "n", [_timed(row.first_call_s) for row in rows]),
        ("memory", "n", [Cell(_known(size(row.peak_memory_bytes)), row.peak_memory_bytes) for row in rows]),
    ]
    columns += [(name, "n", [_timed(getattr(row.race, field, None)) for row in rows]) for name, field in CONDITIONS]
    figures = dict.fromkeys(name for row in rows for name in row.figures)
    columns += [(name, "n", [_figure(row.figures.get(name)) for row in rows]) for name in figures]
    if {row.device for row in rows} == {"cpu"}:
        del columns[2]
    columns = [column for column in columns if any(cell.html for cell in column[2])]
    head = "".join(_heading(name, kind, cells) for name, kind, cells in columns)
    body = "".join(
        f'<tr class="exp-{text(row.status)}">'
        + "".join(_cell(kind, cells[place]) for _, kind, cells in columns)
        + "</tr>"
        for place, row in enumerate(rows)
    )
    return f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"


def _heading(name: str, kind: str, cells: Sequence[Cell]) -> str:
    sortable = ' data-sort=""' if any(cell.value is not None for cell in cells) else ""
    return f'<th scope="col"{class_of(kind)}{sortable}>{text(name)}</th>'


def _cell(kind: str, cell: Cell) -> str:
    value = "" if cell.value is None else f' data-value="{text(cell.value)}"'
    tag, scope = ("th", ' scope="row"') if cell.html.startswith('<span class="exp-mark"') else ("td", "")
    return f"<{tag}{scope}{class_of(kind)}{value}>{cell.html}</{tag}>"


def _name(row: Row) -> Cell:
    mark = MARKS.get(row.status, ("–", ""))[0]
    words = text(WORDS.get(row.status, row.status))
    shown = f'<span class="exp-mark" title="{words}" role="img" aria-label="{words}">{mark}</span>'
    title = f' title="{text(readable(row.title))}"' if row.title else ""
    name = text(row.name).replace("_", "_<wbr>")  # where a narrow page may break it
    return Cell(f"{shown}<code{title}>{name}</code>", row.name)


def _device(row: Row) -> str:
    return f"{row.device}, emulated" if row.emulated else row.device


def _rung(row: Row) -> Cell:
    return Cell(f'<span class="exp-rung {rung_class(row)}">{text(row.rung)}</span>', row.rung)


def _timed(seconds: float | None) -> Cell:
    return Cell(text(seconds_text(seconds)), seconds)


def _ratio(row: Row) -> Cell:
    """The factor and its interval; coloured only where the verdict is certain."""
    if row.ratio_to_library is None:
        return Cell("")
    verdict = row.race.verdict if row.race and row.race.verdict in ("faster", "slower") else "alike"
    known = row.ratio_ci95 and row.ratio_ci95 != (1.0, 1.0)  # the library against itself
    interval = f"<small>{text(spread(row.ratio_ci95))}</small>" if known else ""
    return Cell(f'<span class="exp-{verdict}">{factor(row.ratio_to_library)}</span>{interval}', row.ratio_to_library)


def _error(row: Row) -> Cell:
    worst = row.worst
    if worst is None:
        return Cell("")
    sign = "≤" if worst.holds else "&gt;"
    shown = f"{scientific(worst.error)} <small>{sign} {scientific(worst.bound)}</small>"
    return Cell(f'<span title="{text(worst.law)}">{shown}</span>', _finite(worst.error))


def _limit(row: Row) -> Cell:
    """The fraction, and the same as a bar."""
    fraction = row.fraction_of_limit
    if fraction is None:
        return Cell("")
    width = 100 * min(max(fraction, 0.0), 1.0)
    meter = (
        '<svg class="exp-meter" aria-hidden="true" focusable="false">'
        '<rect class="exp-rail" width="100%" height="100%"/>'
        f'<rect class="exp-full" width="{width:.1f}%" height="100%"/></svg>'
    )
    interval = f"<small>{text(percents(row.fraction_ci95))}</small>" if row.fraction_ci95 else ""
    return Cell(f"{percent(fraction)}{interval}{meter}", fraction)


def _figure(value: float | None) -> Cell:
    if value is None or not math.isfinite(value):
        return Cell("")
    return Cell(f"{value:,.4g}" if abs(value) < 1e6 else f"{value:.3g}", value)


def _known(shown: str) -> str:
    return "" if shown == "–" else text(shown)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
