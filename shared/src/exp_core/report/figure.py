"""A result as a figure: what the algorithm does, and how fast each implementation does it."""

from __future__ import annotations

import io
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from exp_core.report import units
from exp_core.report.export import write
from exp_core.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from exp_core.experiment import Experiment, Inputs

TITLE_WIDTH = 80  # characters of a line across the figure
FORMATS = ("png", "svg", "pdf", "jpg", "webp")
# Okabe & Ito's colours, told apart by colour-blind readers too ("Color Universal Design", 2008).
COLOURS = {
    "textbook": "#999999",
    "vectorised": "#56B4E9",
    "compiled": "#0072B2",
    "kernel": "#009E73",
    "distributed": "#CC79A7",
    "library": "#E69F00",
    "yours": "#D55E00",
}


def save(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all, in the format that its name says.  Raises OSError."""
    picture = io.BytesIO()
    figure.savefig(picture, format=path.suffix.removeprefix(".").lower(), dpi=150)
    write(path, picture.getvalue())


def draw(result: Result, experiment: Experiment, inputs: Inputs, path: Path) -> None:
    """Write the figure: the experiment's picture above, the ladder's times below.  Raises OSError."""
    timed = [row for row in result.rows if row.median_s]
    heights = [5.0, 0.8 + 0.32 * max(len(timed), 1)]
    figure = titled_figure(result.title, (9, sum(heights)))
    parts = figure.subfigures(2, 1, squeeze=False, height_ratios=heights)
    experiment.picture(parts[0, 0], *inputs)
    draw_times(parts[1, 0].subplots(), result)
    save(figure, path)


def titled_figure(title: str, size: tuple[float, float]) -> Figure:
    """An empty figure under its title; a notebook shows it by itself."""
    from exp_core.report.drawing import Drawing

    figure = Drawing(figsize=size, layout="constrained")
    figure.suptitle(textwrap.fill(title, TITLE_WIDTH), fontweight="bold", fontsize="large")
    return figure


def times_figure(result: Result) -> Figure:
    """The ladder's times alone."""
    figure = titled_figure(result.title, (9, 1.5 + 0.32 * max(sum(bool(row.median_s) for row in result.rows), 1)))
    draw_times(figure.subplots(), result)
    return figure


def picture_figure(result: Result, experiment: Experiment, inputs: Inputs) -> Figure:
    """The experiment's picture alone: what the algorithm does."""
    figure = titled_figure(result.title, (9, 5.0))
    experiment.picture(figure, *inputs)
    return figure


def draw_times(axes: Axes, result: Result) -> None:
    """Bars of time a call on a logarithmic axis, textbook first; a tick at each one's limit."""
    timed = [row for row in result.rows if row.median_s]
    axes.set_title(f"{result.problem}: {result.sizes_text}, {result.dtype}", fontsize="medium")
    if not timed:
        axes.text(0.5, 0.5, "nothing was timed", ha="center", va="center")
        axes.set_axis_off()
        return
    names = [row.name if row.device == "cpu" else f"{row.name} ({row.device})" for row in timed]
    places = range(len(timed))
    times = [row.median_s or 0.0 for row in timed]
    axes.barh(places, times, color=[COLOURS[row.rung] for row in timed], height=0.7)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xscale("log")
    smallest = min([*times, *(row.limit_s for row in timed if row.limit_s)])
    axes.set_xlim(smallest / 3, max(times) * 8)
    for place, row in zip(places, timed, strict=True):
        label = units.duration(row.median_s)
        if row.ratio_to_library and row.rung != "library":
            label += f"   {units.factor(row.ratio_to_library)} library"
        axes.text((row.median_s or 0.0) * 1.1, place, label, va="center", fontsize="small")
        if row.limit_s:
            axes.plot([row.limit_s] * 2, [place - 0.35, place + 0.35], color="black", linewidth=1.5)
    axes.set_xlabel("seconds a call; the black tick is the hardware's limit")
    axes.spines[["top", "right"]].set_visible(False)
