"""The curve of a training run: every loss, their running mean, and the figures beside the published ones."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from exp_core.report.figure import titled_figure
from exp_core.training.log import Line
from exp_core.training.plan import Target

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from exp_core.training.trained import Trained

SPAN = 50  # the running mean is over a fiftieth of the curve
TITLE_WIDTH, TICKS = 26, 4  # characters of a line of a title, and steps between ticks, that three figures have room for
DECADE = 10  # a loss that falls by less has its ticks between the powers of ten
BLUE, ORANGE = "#0072B2", "#D55E00"


def curve_figure(trained: Trained) -> Figure:
    """The curve, and under it what the trained model does."""
    job, training = trained.job, trained.job.training
    title = f"{trained.entry.title.partition(':')[0]}: {trained.step} steps on {Path(job.data_name).name}"
    figure = titled_figure(title, (9, 9 if training.picture else 5))
    parts = figure.subfigures(2 if training.picture else 1, 1, squeeze=False)
    draw_curve(parts[0, 0], trained.lines, trained.targets)
    if training.picture:
        training.picture(parts[1, 0], job.shape, trained.state, job.data, np.random.default_rng(job.seed))
    return figure


def draw_curve(figure: SubFigure, lines: Sequence[Line], targets: Sequence[Target]) -> None:
    """Losses on a logarithmic axis on the left; right of them each figure, beside its target where it has one."""
    known = {target.figure: target for target in targets}
    figures = dict.fromkeys((*known, *(name for line in lines for name in line.figures)))
    all_axes = figure.subplots(1, 1 + len(figures), squeeze=False)[0]
    _draw_losses(all_axes[0], lines)
    for axes, name in zip(all_axes[1:], figures, strict=True):
        points = [(line.step, line.figures[name]) for line in lines if name in line.figures]
        axes.plot(
            [step for step, _ in points], [value for _, value in points], marker="o", color=BLUE, label="this run"
        )
        if target := known.get(name):
            axes.axhline(target.value, color=ORANGE, linestyle="--", label=f"target {target.value:g}")
        axes.set(xlabel="step", title=textwrap.fill(name[:1].upper() + name[1:], TITLE_WIDTH))
        axes.legend(fontsize="small")
    for axes in all_axes:
        axes.locator_params(axis="x", nbins=TICKS)


def _draw_losses(axes: Axes, lines: Sequence[Line]) -> None:
    steps, losses = np.array([line.step for line in lines]), np.array([line.loss for line in lines])
    axes.plot(steps, losses, color=BLUE, alpha=0.3, linewidth=0.8, label="each step")
    span = max(1, len(losses) // SPAN)
    if span > 1:
        means = np.convolve(losses, np.ones(span) / span, "valid")
        axes.plot(steps[span - 1 :], means, color=BLUE, label=f"mean of {span} steps")
    if len(losses) and losses.min() > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}" if losses.max() < DECADE * losses.min() else "")
    axes.set(xlabel="step", ylabel="loss", title="Loss")
    axes.legend(fontsize="small")
