"""A training run as it goes: a bar on a terminal, plain lines where standard output is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from exp_core.cli.streams import say

if TYPE_CHECKING:
    from exp_core.catalogue import Entry
    from exp_core.training.run import Job, Moment

LINES = 20  # of a whole run, where nobody sees a bar


class Watcher:
    """Shows every moment of the run on the bar; as lines, one at each evaluation and each twentieth of the run."""

    def __init__(self, entry: Entry, job: Job, begin: int) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        from exp_core.report.terminal import console

        screen = console(stderr=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[told]}", markup=False),
        )
        self.job = job
        self.quiet = not job.group.leads
        self.lines = not screen.is_terminal or not console().is_terminal
        self.bar = Progress(*columns, console=screen, transient=True, disable=self.quiet or not screen.is_terminal)
        self.task = self.bar.add_task(entry.name, total=job.steps, completed=begin, told="")
        self.step = max(1, job.steps // LINES)
        self.next = begin

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def moment(self, moment: Moment) -> None:
        """Show it."""
        if self.quiet:
            return
        told = _told(moment, self.job.training.unit)
        if not self.bar.disable:
            self.bar.update(self.task, completed=moment.step, told=told, refresh=True)
        if self.lines and (moment.step >= self.next or moment.figures):
            say(f"step {moment.step}/{moment.steps}  {told}")
            self.next = moment.step + self.step


def _told(moment: Moment, unit: str) -> str:
    """Loss, figures, rate and time left."""
    from exp_core.timing import seconds_text

    parts = [f"loss {moment.loss:.4f}", *(f"{name} {value:.4g}" for name, value in moment.figures.items())]
    if moment.rate is not None:
        parts.append(f"{moment.rate:,.0f} {unit}/s")
    if moment.left_s:
        parts.append(f"{seconds_text(moment.left_s)} left")
    return "  ".join(parts)
