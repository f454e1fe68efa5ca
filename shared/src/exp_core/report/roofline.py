"""The roofline: how many operations a byte an implementation does, how fast, and what this machine allows there.

Source: Williams, Waterman, Patterson, Roofline, Communications of the ACM 52 (2009), 65-76.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from exp_core.machine import Peaks
from exp_core.report import units
from exp_core.report.figure import COLOURS, save, titled_figure
from exp_core.results import Result
from exp_core.row import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SPAN = (1 / 32, 64.0)  # operations a byte that are shown at least
APART = 0.055  # between two names, of the axes' height
Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
LEVELS = {"L1": "#B0B0B0", "L2": "#909090", "L3": "#6C6C6C", "DRAM": "#303030"}


class NothingToPlace(ValueError):
    """No implementation of the run both counts its work and was timed; the message is one sentence."""


def draw_roofline(result: Result, one_thread: Peaks, path: Path) -> None:
    """Write the figure.  Raises NothingToPlace or OSError."""
    save(roofline_figure(result, one_thread), path)


def roofline_figure(result: Result, one_thread: Peaks) -> Figure:
    """The figure.  Raises NothingToPlace."""
    figure = titled_figure(result.title, (9, 5.6))
    draw_under_roofs(figure.subplots(), result, one_thread)
    return figure


def draw_under_roofs(axes: Axes, result: Result, one_thread: Peaks | None = None) -> None:
    """The ladder's points under this machine's roofs, dashed those of one thread.  Raises NothingToPlace."""
    rows = [row for row in result.rows if row.median_s and row.flops and row.bytes and row.device == "cpu"]
    limits = result.machine.get("limits")
    if not rows or not isinstance(limits, Mapping):
        raise NothingToPlace("no implementation was timed whose operations are counted: there is nothing to place")
    peaks = Peaks.from_dict(limits["peaks"])
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    intensities = [intensity(row) for row in rows]
    x = np.geomspace(min(SPAN[0], *intensities) / 2, max(SPAN[1], *intensities) * 2, 300)
    draw_roofs(axes, peaks, one_thread or peaks, result.dtype, x)
    draw_rows(axes, rows)
    threads = f"{peaks.threads} thread{'s' if peaks.threads > 1 else ''}"
    dashed = "; dashed: one thread" if one_thread and peaks.threads > 1 else ""
    axes.set_title(
        f"{result.problem}: {result.sizes_text}, {result.dtype}, {threads}{dashed}", fontsize="medium", pad=14
    )
    axes.set_xlabel("operations for each byte that must be moved")
    axes.set_ylabel("operations a second")
    axes.grid(True, which="major", color="#ececec", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def intensity(row: Row) -> float:
    """Operations for each byte, by the row's cost."""
    assert row.flops and row.bytes
    return row.flops / row.bytes


def draw_roofs(axes: Axes, peaks: Peaks, one_thread: Peaks, dtype: str, x: Vector) -> None:
    """One roof for each level of memory, under one ceiling; the ridge is where main memory's roof meets it."""
    for these, style in ((one_thread, (0, (4, 3))), (peaks, "-")):
        peak = these.flops_of(dtype)
        if style != "-" and (these is peaks or peaks.threads == 1):
            continue
        for level in these.levels:
            roof = level.best * x if peak is None else np.minimum(level.best * x, peak)
            width, label = (1.6, f"{level.level}  {units.speed(level.best, 'B/s')}") if these is peaks else (0.9, None)
            colour = LEVELS.get(level.level, "#303030")
            axes.plot(x, roof, color=colour, linestyle=style, linewidth=width, label=label, zorder=2)
    axes.legend(loc="upper left", frameon=False, fontsize="x-small")
    peak = peaks.flops_of(dtype)
    if peak is not None:
        ridge = peak / peaks.levels[-1].best
        axes.axvline(ridge, color="#999999", linewidth=0.8, linestyle=":", zorder=1)
        axes.annotate(
            units.speed(peak, "flop/s"), (x[-1], peak), xytext=(0, 3), textcoords="offset points",
            ha="right", fontsize="small",
        )  # fmt: skip
        axes.annotate(
            f"ridge: {ridge:.2g} a byte", (ridge, 0.0), xycoords=("data", "axes fraction"), xytext=(3, 4),
            textcoords="offset points", fontsize="x-small", color="#666666",
        )  # fmt: skip


def draw_rows(axes: Axes, rows: Sequence[Row]) -> None:
    """A point for each row with a line up to its own limit; names in a column at the right, in the points' order."""
    ordered = sorted(rows, key=rate)
    bottom = min(axes.get_ylim()[0], 0.5 * rate(ordered[0]))
    axes.set_ylim(bottom, 2.5 * max(axes.get_ylim()[1] / 2.5, *(rate(row) for row in rows)))
    low, high = np.log(axes.get_ylim())
    wanted = np.array([(np.log(rate(row)) - low) / (high - low) for row in ordered])
    for row, place in zip(ordered, spread(wanted, APART), strict=True):
        colour = COLOURS[row.rung]
        assert row.flops
        if row.limit_s:
            axes.plot([intensity(row)] * 2, [rate(row), row.flops / row.limit_s], color=colour, linewidth=1, zorder=3)
        axes.plot(intensity(row), rate(row), "o", color=colour, markersize=7, markeredgecolor="white", zorder=4)
        fraction = f"  {units.percent(row.fraction_of_limit)}" if row.fraction_of_limit else ""
        axes.annotate(
            f"{row.name}{fraction}", (intensity(row), rate(row)), xytext=(1.02, place), textcoords="axes fraction",
            fontsize="small", color=colour, va="center", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "alpha": 0.6, "relpos": (0, 0.5)},
        )  # fmt: skip


def rate(row: Row) -> float:
    """Operations a second."""
    assert row.flops and row.median_s
    return row.flops / row.median_s


def spread(wanted: Vector, apart: float) -> list[float]:
    """Ascending places, as near to those wanted as they can be with that much between them, within 0 and 1."""
    places: list[float] = []
    for place in wanted:
        places.append(max(float(place), places[-1] + apart) if places else float(place))
    ceiling = 1.0
    for index in range(len(places) - 1, -1, -1):
        places[index] = min(places[index], ceiling)
        ceiling = places[index] - apart
    return places
