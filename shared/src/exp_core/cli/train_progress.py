"""A training run as it goes: a bar on a terminal, plain lines where standard output is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exp_core.cli.streams import say, tell
from exp_core.report.training import left_words, moment_in, moment_words
from exp_core.training.asked import Listener

if TYPE_CHECKING:
    from exp_core.training.job import Job, Moment

LINES = 20  # of a whole run, where nobody sees a bar
BEGUN = "the first step may compile"


class Watcher(Listener):
    """Shows every moment of the run on the bar; as lines, one at each evaluation and each twentieth of the run."""

    def note(self, sentence: str) -> None:
        """Say it beside the curve."""
        tell(sentence)

    def begins(self, job: Job, step: int) -> None:
        """Put up the bar; those who do not lead show nothing."""
        from exp_core.report.bar import Line
        from exp_core.report.console import console

        self.job = job
        self.line = Line(shown=job.group.leads)
        self.lines = not (self.line.shown and console().is_terminal)
        self.line.show(job.experiment, step / job.steps, BEGUN if len(BEGUN) <= self.line.room(job.experiment) else "")
        self.step = max(1, job.steps // LINES)
        self.next = step

    def moment(self, moment: Moment) -> None:
        """Show it."""
        if not self.job.group.leads:
            return
        unit = self.job.training.unit
        if self.line.shown:
            told = moment_in(self.line.room(self.job.experiment), moment, unit)
            self.line.show(self.job.experiment, moment.step / moment.steps, told)
        if self.lines and (moment.step >= self.next or moment.figures):
            told = "  ".join(filter(None, (moment_words(moment, unit), left_words(moment))))
            say(f"step {moment.step}/{moment.steps}  {told}")
            self.next = moment.step + self.step

    def ends(self) -> None:
        """Take the bar down."""
        self.line.close()
