"""A training run as it goes: a bar on a terminal, plain lines where standard output is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exp_core.cli.streams import say, tell
from exp_core.report.training import left_words, moment_words
from exp_core.training.asked import Listener

if TYPE_CHECKING:
    from exp_core.training.job import Job, Moment

LINES = 20  # of a whole run, where nobody sees a bar


class Watcher(Listener):
    """Shows every moment of the run on the bar; as lines, one at each evaluation and each twentieth of the run."""

    def note(self, sentence: str) -> None:
        """Say it beside the curve."""
        tell(sentence)

    def begins(self, job: Job, step: int) -> None:
        """Put up the bar; those who do not lead show nothing."""
        from rich.progress import BarColumn, Progress, TextColumn

        from exp_core.report.console import console

        screen = console(stderr=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[told]}", markup=False),
        )
        self.job = job
        self.lines = not screen.is_terminal or not console().is_terminal
        self.bar = Progress(
            *columns, console=screen, transient=True, disable=not (job.group.leads and screen.is_terminal)
        )
        self.task = self.bar.add_task(job.experiment, total=job.steps, completed=step, told="")
        self.step = max(1, job.steps // LINES)
        self.next = step
        self.bar.start()

    def moment(self, moment: Moment) -> None:
        """Show it."""
        if not self.job.group.leads:
            return
        told = "  ".join(filter(None, (moment_words(moment, self.job.training.unit), left_words(moment))))
        if not self.bar.disable:
            self.bar.update(self.task, completed=moment.step, told=told, refresh=True)
        if self.lines and (moment.step >= self.next or moment.figures):
            say(f"step {moment.step}/{moment.steps}  {told}")
            self.next = moment.step + self.step

    def ends(self) -> None:
        """Take the bar down."""
        self.bar.stop()
