"""A sweep as tables for people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from exp_core.report.console import one_line, plain_table
from exp_core.report.units import duration
from exp_core.scaling import Curve, Fit, Slice, Sweep, Term

MOST_SLICES = 6  # tables that are printed; all of them are in the JSON and in the picture
MOST_CROSSOVERS = 12  # lines that are printed; beyond it only changes of the fastest of all
TIME_WIDTH = 11  # columns that a time takes in a table


def print_sweep(sweep: Sweep, out: Console, *, verbose: bool = False, all_of_it: str = "slices has all") -> None:
    """For each axis: implementations by sizes, the law that each one follows, and who overtakes whom.

    all_of_it: where the slices are that are not printed.
    """
    out.print(one_line(sweep.title, "bold"), soft_wrap=True)
    held = [f"{name} = {size:g}" for name, size in sweep.fixed.items()]
    head = (sweep.problem, *held, sweep.dtype, f"seed {sweep.seed}", _count(sweep.threads, "thread"))
    out.print("   ".join(head), style="dim", soft_wrap=True)
    shown = sweep.slices if verbose else representative(sweep)
    for part in shown:
        if len(sweep.axes) > 1:
            out.print(one_line(f"\nalong {part.title}", "bold"), soft_wrap=True)
        out.print(_times(part, out.width))
        out.print(_laws(part))
        for line in crossover_lines(part):
            out.print(one_line(f" {line}"), soft_wrap=True)
        if part.note:
            out.print(one_line(f" {part.note}", "yellow"), soft_wrap=True)
    if len(shown) < len(sweep.slices):
        out.print(f" {len(sweep.slices) - len(shown)} more slices: {all_of_it}", style="dim")
    for line in remarks(sweep):
        out.print(one_line(f" {line}"), soft_wrap=True)
    if sweep.interrupted:
        out.print(" interrupted: these points were finished by then", style="yellow", soft_wrap=True)


def representative(sweep: Sweep) -> tuple[Slice, ...]:
    """All slices if they are few; else, for each axis, the one where the other sizes are largest."""
    if len(sweep.slices) <= MOST_SLICES:
        return sweep.slices
    return tuple(s for s in sweep.slices if all(size == sweep.axes[name][-1] for name, size in s.fixed.items()))


def law_rows(curve: Curve, axis: str) -> list[tuple[str, str, str, str, str, str]]:
    """Name, sizes, law, exponent with its interval, formula and scatter: a row for each regime of a curve."""
    rows = []
    for place, fit in enumerate(curve.growth.fits):
        name = curve.name if place == 0 else ""
        low = curve.sizes[0] if place == 0 else curve.growth.breaks[place - 1].above
        high = curve.sizes[-1] if place == len(curve.growth.breaks) else curve.growth.breaks[place].below
        where = f"{low:g}–{high:g}"
        if place and curve.growth.breaks[place - 1].cause:
            where += f", beyond {curve.growth.breaks[place - 1].cause}"
        if fit is None:
            rows.append((name, where, "too few sizes to tell", "–", "–", "–"))
        else:
            law, fitted = (in_terms_of(axis, text) for text in (fit.verdict, formula(fit.best)))
            rows.append((name, where, law, exponent(fit), fitted, f"{fit.scatter:.1%}"))
    return rows


def in_terms_of(axis: str, law: str) -> str:
    """A law in the axis' own name: ``rows²``."""
    return re.sub(r"\bn(?=[²³^]|\b)", axis, law)


def exponent(fit: Fit) -> str:
    """The free exponent and its interval; a dash where nothing grows."""
    low, high = fit.p_ci95
    return "–" if fit.constant else f"{fit.p:.2f} ({low:.2f}–{high:.2f})"


def formula(term: Term) -> str:
    """``3.1 µs + 0.42 ns · n log n``: what each call costs, and what grows."""
    law = f"n^{term.p:.2f}" if term.p is not None else term.law
    fixed = f"{'-' if term.a < 0 else ''}{duration(abs(term.a))}"
    if law == "1":
        return fixed
    growing = f"{duration(term.b)} · {law}"
    return growing if term.a == 0 else f"{fixed} + {growing}"


def crossover_lines(part: Slice) -> list[str]:
    """Who overtakes whom; if there are many, only where the fastest of all changes."""
    found = [c for c in part.crossovers if len(part.crossovers) <= MOST_CROSSOVERS or c.overall]
    lines = [
        f"{c.faster} overtakes {c.slower} at {part.axis} = {c.at:.3g} ({c.ci95[0]:.3g}–{c.ci95[1]:.3g})" for c in found
    ]
    if len(found) < len(part.crossovers):
        lines.append(f"{len(part.crossovers) - len(found)} more among those that do not lead")
    return lines


def remarks(sweep: Sweep) -> list[str]:
    """What the reader must know beside the tables: points not measured, rows that failed, where the points ran."""
    lines = list(sweep.notes)
    lines += [f"{_sizes(p.sizes, sweep)}: {p.reason}" for p in sweep.points if p.result is None]
    first: dict[tuple[str, str], tuple[str, str, int]] = {}
    for point in sweep.points:
        for row in point.result.rows if point.result else ():
            if row.reason:
                kind: str = row.status if row.status != "skipped" else "not run"
                place, reason, count = first.get((row.name, kind), (_sizes(point.sizes, sweep), row.reason, 0))
                first[row.name, kind] = (place, reason, count + 1)
    for (name, kind), (place, reason, count) in first.items():
        more = f" (and at {_count(count - 1, 'more point')})" if count > 1 else ""
        lines.append(f"{name} {kind} at {place}{more}: {reason}")
    hosts = {point.host for point in sweep.points if point.host}
    if hosts:
        lines.append(f"measured on {_count(len(hosts), 'host')}: {', '.join(sorted(hosts))}")
    if reused := sum(point.reused for point in sweep.points):
        lines.append(f"{reused} of {_count(len(sweep.points), 'point')} had been measured before, and were not again")
    return lines


def _times(part: Slice, width: int) -> Table:
    """As many sizes as fit, evenly chosen, the first and the last among them."""
    sizes = all_sizes(part)
    longest = max((len(curve.name) for curve in part.curves), default=0)
    room = max(2, (width - longest - 2) // TIME_WIDTH)
    if len(sizes) > room:
        sizes = [sizes[round(i * (len(sizes) - 1) / (room - 1))] for i in range(room)]
    table = _table(part.axis, *(f"{n:g}" for n in sizes))
    for curve in part.curves:
        table.add_row(one_line(curve.name), *(Text(cell) for cell in cells_of(curve, sizes)))
    return table


def _laws(part: Slice) -> Table:
    table = _table("implementation", "sizes", "law", "exponent (95 %)", "fit", "scatter", left=3)
    for curve in part.curves:
        for row in law_rows(curve, part.axis) if curve.sizes else ():
            undecided = "undecided" in row[2] or "too few" in row[2]
            table.add_row(one_line(row[0]), row[1], one_line(row[2], "dim" if undecided else "bold"), *row[3:])
    return table


def _table(*titles: str, left: int = 1) -> Table:
    table = plain_table()
    for place, title in enumerate(titles):
        table.add_column(title, justify="left" if place < left else "right", no_wrap=place != 2 or left == 1)
    return table


def cells_of(curve: Curve, sizes: Sequence[float]) -> list[str]:
    """The times of a curve at these sizes, as text."""
    known = dict(zip(curve.sizes, curve.median_s, strict=True))
    return [duration(known.get(n)) for n in sizes]


def all_sizes(part: Slice) -> list[float]:
    """Every size at which anybody ran."""
    return sorted({n for curve in part.curves for n in curve.sizes})


def _sizes(sizes: Mapping[str, float], sweep: Sweep) -> str:
    return ", ".join(f"{name} = {sizes[name]:g}" for name in sweep.axes)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
