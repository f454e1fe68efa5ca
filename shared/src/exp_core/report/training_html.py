"""A training run as a piece of HTML for a notebook: the curve of its loss, and its figures, in the ladder's look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from exp_core.report.html import ladder_css
from exp_core.report.html_words import text, words_table
from exp_core.report.training import conditions, notes

if TYPE_CHECKING:
    from exp_core.training.trained import Trained

POINTS = 200  # of the curve: each is the mean of as many steps as there are for one
FIGURES = ("figure", "reached here", "target", "")


def trained_html(trained: Trained) -> str:
    """The curve and the table, without paths: a notebook is passed on.  Every text of the run is escaped."""
    sources = [f"the target of {target.figure}: {target.source}" for target in trained.targets]
    items = "".join(f"<li>{text(line)}</li>" for line in (*sources, *notes(trained)))
    return (
        f'<div class="exp-ladder"><style>{ladder_css()}</style><p><b>{text(trained.entry.title)}</b> '
        f"<small>{text(' · '.join(conditions(trained)))}</small></p>"
        f'{_curve(trained)}{_figures(trained)}<ul class="exp-notes">{items}</ul></div>'
    )


def _figures(trained: Trained) -> str:
    """Each figure beside its target."""
    targets = {target.figure: target for target in trained.targets}
    rows = []
    for name, value in trained.figures.items():
        cells = ("", "")
        if target := targets.get(name):
            sign, verdict = "≥" if target.better == "more" else "≤", "✓" if target.reached(value) else "✗"
            cells = (f"{sign} {target.value:g}", verdict)
        rows.append((name, f"{value:.4g}", *cells))
    return words_table("figures of the run", FIGURES, rows) if rows else ""


def _curve(trained: Trained) -> str:
    """The loss over the steps, on a logarithmic axis where it can be."""
    losses = means([line.loss for line in trained.lines], POINTS)
    if len(losses) < 2:
        return ""
    logarithmic = min(losses) > 0
    heights = [math.log(loss) if logarithmic else loss for loss in losses]
    low, high = min(heights), max(heights)
    points = " ".join(
        f"{1000 * place / (len(heights) - 1):.1f},{100 * (high - height) / ((high - low) or 1):.1f}"
        for place, height in enumerate(heights)
    )
    first, last = trained.lines[0], trained.lines[-1]
    words = f"loss from {losses[0]:.4g} to {losses[-1]:.4g} over steps {first.step} to {last.step}"
    axis = ", logarithmic axis" if logarithmic else ""
    return (
        f'<svg class="exp-curve exp-rung-compiled" viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" '
        f'aria-label="{text(words)}"><polyline class="exp-line" points="{points}"/></svg>'
        f'<ul class="exp-notes"><li>{text(words + axis)}</li></ul>'
    )


def means(values: Sequence[float], most: int) -> list[float]:
    """At most so many means of as many neighbours each, in order."""
    each = max(1, math.ceil(len(values) / most))
    parts = [values[at : at + each] for at in range(0, len(values), each)]
    return [math.fsum(part) / len(part) for part in parts]
