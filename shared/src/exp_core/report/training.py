"""A training run in words: its figures beside the published ones, on a terminal and in one line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from exp_core.catalogue import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from exp_core.training.job import Moment
    from exp_core.training.trained import Trained


def trained_words(trained: Trained) -> str:
    """``mlp on digits: 2000 steps, loss 0.0012, held-out accuracy 0.981: reached``."""
    steps = f"{trained.step} steps" + (f" of {trained.steps}, interrupted" if trained.interrupted else "")
    loss = f", loss {trained.losses[-1]:.4g}" if trained.lines else ""
    figures = "".join(f", {name} {value:.4g}" for name, value in trained.figures.items())
    verdict = f": {'reached' if trained.reached else 'not reached'}" if trained.figures and trained.targets else ""
    return f"{trained.entry.name} on {Path(trained.job.data_name).name}: {steps}{loss}{figures}{verdict}"


def print_trained(trained: Trained, out: Console) -> None:
    """What was trained, on what, how; every target; and where it is kept."""
    out.print(Text(printable(trained.entry.title), style="bold"), soft_wrap=True)
    out.print(Text("   ".join(conditions(trained))), style="dim", soft_wrap=True)
    for line in (*target_lines(trained), *notes(trained), f"checkpoint and log: {trained.job.folder}"):
        out.print(Text(printable(line)), soft_wrap=True)


def conditions(trained: Trained) -> Iterator[str]:
    """Under which the run was made, a few words each."""
    job = trained.job
    yield Path(job.data_name).name
    yield str(job.shape)
    yield f"batch {job.batch}"
    yield f"seed {job.seed}"
    yield job.engine.name
    yield f"{trained.step} of {trained.steps} steps" if trained.step < trained.steps else f"{trained.step} steps"
    if trained.outcome.rate:
        yield f"{trained.outcome.rate:,.0f} {job.training.unit}/s"


def ended_words(trained: Trained) -> str:
    """``digits: 2000 steps, loss 0.0012, 1,234,567 images/s``, and the figures that no target is set for."""
    parts = [f"{trained.step} step{'s' if trained.step > 1 else ''}"]
    parts += [f"loss {trained.losses[-1]:.4g}"] if trained.lines else []
    aimed = {target.figure for target in trained.targets}
    parts += [f"{name} {value:.4g}" for name, value in trained.figures.items() if name not in aimed]
    parts += [f"{trained.outcome.rate:,.0f} {trained.job.training.unit}/s"] if trained.outcome.rate else []
    return f"{Path(trained.job.data_name).name}: {', '.join(parts)}"


def target_lines(trained: Trained) -> Iterator[str]:
    """``accuracy: 1   target ≥ 1 (micrograd's demo): reached``, for every target that was looked at."""
    for target in trained.targets:
        if target.figure in trained.figures:
            value = trained.figures[target.figure]
            sign = "≥" if target.better == "more" else "≤"
            verdict = "reached" if target.reached(value) else "not reached"
            yield f"{target.figure}: {value:.4g}   target {sign} {target.value:g} ({target.source}): {verdict}"


def notes(trained: Trained) -> Iterator[str]:
    """What has to be known beside the figures."""
    yield from trained.notes
    if trained.interrupted:
        yield f"interrupted after step {trained.step} of {trained.steps}, and saved"


def moment_words(moment: Moment, unit: str) -> str:
    """Loss, figures and rate at one moment of a run."""
    return "  ".join(_moment_parts(moment, unit))


def moment_in(room: int, moment: Moment, unit: str) -> str:
    """The same with what is left, as much of it as there are columns: loss, then time left, figures, and the rate."""
    loss, *more = _moment_parts(moment, unit)
    left = left_words(moment)
    order = [loss, left, *more]
    while len(order) > 1 and len("  ".join(filter(None, order))) > room:
        order.pop()
    shown = (*order[:1], *order[2:], *order[1:2])  # what is left comes last
    return "  ".join(filter(None, shown))[: max(room, 0)]


def _moment_parts(moment: Moment, unit: str) -> list[str]:
    parts = [f"loss {moment.loss:.4f}", *(f"{name} {value:.4g}" for name, value in moment.figures.items())]
    if moment.rate is not None:
        parts.append(f"{moment.rate:,.0f} {unit}/s")
    return parts


def left_words(moment: Moment) -> str:
    """How much longer it takes, where that is known."""
    from exp_core.timing import seconds_text

    return f"{seconds_text(moment.left_s)} left" if moment.left_s else ""
