"""An experiment over time as a figure: ratio to the library, a line an implementation, steps marked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exp_core.history.queries import Measurement
from exp_core.history.run import seconds_of
from exp_core.history.series import Series, configuration_text
from exp_core.report.figure import save
from exp_core.report.scaling_figure import COLOURS, MARKERS, STYLES
from exp_core.timing.intervals import tells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 6
DAY_S = 24 * 3600.0
ALONE_DAYS = 1 / 24  # on both sides of a single moment, which has no scale of its own
NARROW = 30  # a range of ratios up to which there is room for names between the powers of ten


def draw(title: str, found: Sequence[Series], path: Path) -> None:
    """Write the figure: a panel a configuration, those of the newest runs.  Raises OSError."""
    from matplotlib.figure import Figure

    configurations = list(dict.fromkeys(one.configuration for one in found if _timed(one)))[:MOST_PANELS]
    rows = max(len(configurations), 1)
    figure = Figure(figsize=(11, 1 + 4.2 * rows), layout="constrained")
    figure.suptitle(title, fontweight="bold", fontsize="large")
    panels = figure.subplots(rows, 1, squeeze=False)[:, 0]
    machines = list(dict.fromkeys(point.machine for one in found for point in one.points))
    for axes, configuration in zip(panels, configurations, strict=False):
        here = [one for one in found if one.configuration == configuration and _timed(one)]
        draw_panel(axes, here, machines)
        axes.set_title(configuration_text(configuration), fontsize="medium")
    if not configurations:
        panels[0].text(0.5, 0.5, "no ratio to a library is stored", ha="center", va="center")
        panels[0].set_axis_off()
    save(figure, path)


def draw_panel(axes: Axes, found: Sequence[Series], machines: Sequence[str]) -> None:
    """A line through the ratios of each machine, which is a marker, with their intervals; a dotted line is a step."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import NullFormatter

    axes.set_yscale("log")
    for place, one in enumerate(found):
        colour, style = COLOURS[place % len(COLOURS)], STYLES[place // len(COLOURS) % len(STYLES)]
        points = _timed(one)
        days = [seconds_of(point.created_at) / DAY_S for point in points]  # as matplotlib counts them
        ratios = [point.ratio or 1.0 for point in points]
        axes.plot([], [], color=colour, linestyle=style, linewidth=1.2, label=one.name)
        for machine in dict.fromkeys(point.machine for point in points):
            marker = MARKERS[machines.index(machine) % len(MARKERS)]
            own = [k for k, point in enumerate(points) if point.machine == machine]
            axes.errorbar(
                [days[k] for k in own],
                [ratios[k] for k in own],
                yerr=[*zip(*(_reach(points[k]) for k in own), strict=True)],
                fmt=marker, linestyle=style, color=colour, linewidth=1, elinewidth=1,
                markersize=5, markeredgecolor="white", markeredgewidth=0.5,
            )  # fmt: skip
        for mark in one.marks:
            k = next(k for k, point in enumerate(points) if point.run == mark.run)
            axes.axvline(days[k], color=colour, linewidth=1, linestyle=":")
            axes.annotate(
                f"{mark.text.partition(',')[0]}, #{mark.run}", (days[k], ratios[k]), xytext=(4, 8),
                textcoords="offset points", fontsize="x-small", color=colour,
            )  # fmt: skip
    axes.axhline(1.0, color="#444444", linewidth=0.8)
    shown = [machine for machine in machines if any(p.machine == machine for one in found for p in one.points)]
    if len(shown) > 1:
        for machine in shown:
            marker = MARKERS[machines.index(machine) % len(MARKERS)]
            axes.plot([], [], marker, color="#444444", label=f"machine {machine}")
    moments = {seconds_of(point.created_at) / DAY_S for one in found for point in _timed(one)}
    if len(moments) == 1:
        axes.set_xlim(min(moments) - ALONE_DAYS, max(moments) + ALONE_DAYS)
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]  # matplotlib does not type it
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    low, high = axes.get_ylim()
    axes.yaxis.set_major_formatter("{x:g}×")
    axes.yaxis.set_minor_formatter("{x:g}×" if high < NARROW * low else NullFormatter())
    axes.tick_params(axis="y", which="minor", labelsize="small")
    axes.set_ylabel("times as fast as the library")
    axes.grid(True, which="major", color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize="small")


def _timed(one: Series) -> list[Measurement]:
    """The library itself is the line at 1."""
    return [point for point in one.points if point.ratio and one.rung != "library"]


def _reach(point: Measurement) -> tuple[float, float]:
    """From the ratio to the ends of its interval; one that says nothing would only stretch the axis."""
    ratio = point.ratio or 1.0
    low, high = point.ratio_ci95 if point.ratio_ci95 and tells(point.ratio_ci95) else (ratio, ratio)
    return max(ratio - low, 0.0), max(high - ratio, 0.0)
