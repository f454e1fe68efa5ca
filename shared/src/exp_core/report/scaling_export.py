"""A sweep as JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from importlib.resources import files

from exp_core.plain import interval, number
from exp_core.report.export import dumps
from exp_core.report.scaling import all_sizes, cells_of, crossover_lines, law_rows, remarks, representative
from exp_core.scaling import Fit, Slice, Sweep


def schema() -> dict[str, object]:
    """The JSON schema of what ``--json`` writes for a sweep; it refers to that of a result."""
    loaded: dict[str, object] = json.loads(
        files("exp_core.report").joinpath("sweep_schema.json").read_text(encoding="utf-8")
    )
    return loaded


def to_dict(sweep: Sweep) -> dict[str, object]:
    """A sweep as JSON writes it: its points with their results, and the slices with fits and crossovers."""
    return {
        "sweep": {
            "experiment": sweep.experiment,
            "package": sweep.package,
            "title": sweep.title,
            "problem": sweep.problem,
            "axes": {name: list(values) for name, values in sweep.axes.items()},
            "fixed": dict(sweep.fixed),
            "dtype": sweep.dtype,
            "seed": sweep.seed,
            "threads": sweep.threads,
            "interrupted": sweep.interrupted,
            "notes": list(sweep.notes),
        },
        "points": [
            {
                "sizes": dict(p.sizes),
                "reason": p.reason or None,
                "reused": p.reused,
                "host": p.host or None,
                "machine": p.machine or None,
                "result": p.result.to_dict() if p.result else None,
            }
            for p in sweep.points
        ],
        "slices": [_slice_dict(part) for part in sweep.slices],
    }


def to_json(sweep: Sweep) -> str:
    """JSON, as all reports write it."""
    return dumps(to_dict(sweep))


def to_csv(sweep: Sweep) -> str:
    """One line for each implementation at each point, a column for each size; unknown values are empty."""
    sizes = [*sweep.axes, *sweep.fixed]
    kept = ("name", "rung", "device", "threads", "status", "reason", "median_s", "ci95_low", "ci95_high",
            "ratio_to_library", "flops", "bytes", "limit_s", "fraction_of_limit")  # fmt: skip
    about = ("experiment", "problem", "dtype", "seed", "machine", "host")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*about, *sizes, *kept])
    for point in sweep.points:
        for row in point.result.rows if point.result else ():
            low, high = row.ci95 or (None, None)
            cells = row.to_dict() | {"ci95_low": low, "ci95_high": high}
            given = (sweep.experiment, sweep.problem, sweep.dtype, sweep.seed, point.machine, point.host)
            writer.writerow([*given, *(point.sizes[name] for name in sizes), *(cells[name] for name in kept)])
    return text.getvalue()


def to_markdown(sweep: Sweep) -> str:
    """A heading, and for each slice the times, the laws and the crossovers."""
    lines = [f"## {sweep.title}", "", f"`{sweep.experiment}` on {sweep.problem}, {sweep.dtype}, seed {sweep.seed}"]
    for part in representative(sweep):
        sizes = all_sizes(part)
        rows = [[f"`{c.name}`", *cells_of(c, sizes)] for c in part.curves]
        lines += ["", f"### Along {part.title}", ""]
        lines += _markdown_table(["implementation", *(f"{n:g}" for n in sizes)], rows)
        laws = [list(row) for curve in part.curves for row in law_rows(curve, part.axis) if curve.sizes]
        lines += ["", *_markdown_table(["implementation", "sizes", "law", "exponent", "fit", "scatter"], laws), ""]
        lines += [f"- {line}" for line in [*crossover_lines(part), *([part.note] if part.note else [])]]
    lines += ["", *(f"- {line}" for line in remarks(sweep))]
    return "\n".join(lines).rstrip() + "\n"


def _slice_dict(part: Slice) -> dict[str, object]:
    return {
        "axis": part.axis,
        "fixed": dict(part.fixed),
        "note": part.note or None,
        "curves": [
            {
                "name": c.name,
                "rung": c.rung,
                "device": c.device,
                "sizes": list(c.sizes),
                "median_s": [number(t) for t in c.median_s],
                "ci95": [interval(ends) for ends in c.ci95],
                "fits": [None if fit is None else _fit_dict(fit) for fit in c.growth.fits],
                "breaks": [{"below": b.below, "above": b.above, "cause": b.cause or None} for b in c.growth.breaks],
            }
            for c in part.curves
        ],
        "crossovers": [
            {
                "faster": c.faster,
                "slower": c.slower,
                "at": number(c.at),
                "ci95": interval(c.ci95),
                "between": list(c.between),
                "overall": c.overall,
            }
            for c in part.crossovers
        ],
    }


def _fit_dict(fit: Fit) -> dict[str, object]:
    return {
        "verdict": fit.verdict,
        "laws": list(fit.laws),
        "best": fit.best.law,
        "p": number(fit.p),
        "p_ci95": interval(fit.p_ci95),
        "scatter": number(fit.scatter),
        "growth_at_most": number(fit.growth),
        "sizes": list(fit.sizes),
        "points": fit.points,
        "terms": [
            {"law": t.law, "a_s": number(t.a), "b_s": number(t.b), "p": number(t.p), "likelihood": number(t.likelihood)}
            for t in fit.terms
        ],
    }


def _markdown_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    ruler = ["---", *("--:" for _ in titles[1:])]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in (titles, ruler, *rows)]
