"""The curve of a training run: every loss, their running mean, and the figures beside the published ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from exp_core.training.log import Line
from exp_core.training.plan import Target

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

    from exp_core.training.run import Job, Outcome

SPAN = 50  # the running mean is over a fiftieth of the curve
BLUE, ORANGE = "#0072B2", "#D55E00"


def draw(job: Job, outcome: Outcome, title: str, path: Path) -> None:
    """Write the figure.  Raises OSError."""
    from matplotlib.figure import Figure

    training = job.training
    figure = Figure(figsize=(9, 9 if training.picture else 5), layout="constrained")
    figure.suptitle(title, fontweight="bold", fontsize="large")
    parts = figure.subfigures(2 if training.picture else 1, 1, squeeze=False)
    draw_curve(parts[0, 0], outcome.lines, job.targets)
    if training.picture:
        training.picture(parts[1, 0], job.shape, outcome.state, job.data, np.random.default_rng(job.seed))
    figure.savefig(path, dpi=150)


def draw_curve(figure: SubFigure, lines: Sequence[Line], targets: Sequence[Target]) -> None:
    """Losses on a logarithmic axis on the left; beside them each figure beside its target."""
    all_axes = figure.subplots(1, 1 + len(targets), squeeze=False)[0]
    _draw_losses(all_axes[0], lines)
    for axes, target in zip(all_axes[1:], targets, strict=True):
        known = [(line.step, line.figures[target.figure]) for line in lines if target.figure in line.figures]
        axes.plot([step for step, _ in known], [value for _, value in known], marker="o", color=BLUE, label="this run")
        axes.axhline(target.value, color=ORANGE, linestyle="--", label=f"target {target.value:g}")
        axes.set(xlabel="step", title=target.figure[:1].upper() + target.figure[1:])
        axes.legend(fontsize="small")


def _draw_losses(axes: Axes, lines: Sequence[Line]) -> None:
    steps, losses = np.array([line.step for line in lines]), np.array([line.loss for line in lines])
    axes.plot(steps, losses, color=BLUE, alpha=0.3, linewidth=0.8, label="each step")
    span = max(1, len(losses) // SPAN)
    if span > 1:
        means = np.convolve(losses, np.ones(span) / span, "valid")
        axes.plot(steps[span - 1 :], means, color=BLUE, label=f"mean of {span} steps")
    if len(losses) and losses.min() > 0:
        axes.set_yscale("log")
    axes.set(xlabel="step", ylabel="loss", title="Loss")
    axes.legend(fontsize="small")
