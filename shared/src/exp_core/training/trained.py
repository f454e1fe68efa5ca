"""What a training run leaves behind: its curve, its figures beside the published ones, its checkpoint, the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from exp_core.catalogue import Entry
from exp_core.installed import missing_modules
from exp_core.refusal import Missing, Refused
from exp_core.training.checkpoint import LOG
from exp_core.training.job import Job, Outcome
from exp_core.training.log import Line
from exp_core.training.plan import LENGTH, Numbers, State, Target

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


@dataclass(frozen=True, repr=False)
class Trained:
    """A training run that has ended, or the checkpoint of one.

        print(r)                          figures beside their targets, and the files; a notebook shows r by itself
        r.losses  r.figures               a loss a step; the last evaluation
        r.figure()  r.to_pandas()         the curve and what the model does; the log as a data frame
        r.sample("ROMEO:")                how it goes on, where the model says something

    checkpoint: the file that a run can go on from.     notes: what has to be known beside the curve, a sentence each.
    """

    entry: Entry
    job: Job
    outcome: Outcome
    checkpoint: Path
    notes: tuple[str, ...] = ()

    @property
    def step(self) -> int:
        """How many steps were made in all."""
        return self.outcome.step

    @property
    def steps(self) -> int:
        """How many were asked for."""
        return self.job.steps

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C came first; the checkpoint was written then."""
        return self.outcome.interrupted

    @property
    def lines(self) -> tuple[Line, ...]:
        """The curve: a step's number, the loss before its update, and the figures where they were looked at."""
        return self.outcome.lines

    @property
    def losses(self) -> Numbers:
        """The loss of each step, float64, one a line of the curve."""
        return np.array([line.loss for line in self.lines])

    @property
    def figures(self) -> Mapping[str, float]:
        """The figures of the last evaluation; empty if there was none."""
        return self.outcome.figures

    @property
    def targets(self) -> tuple[Target, ...]:
        """The published figures that are to be reached on these data."""
        return self.job.targets

    @property
    def reached(self) -> bool:
        """Whether every target is reached."""
        return all(t.figure in self.figures and t.reached(self.figures[t.figure]) for t in self.targets)

    @property
    def state(self) -> State:
        """The trained weights, and what the optimiser remembers: NumPy arrays by name."""
        return self.outcome.state

    @property
    def log(self) -> Path:
        """The curve as a CSV file, a line a step."""
        return self.job.folder / LOG

    def sample(self, prompt: str, length: int = LENGTH, seed: int | None = None) -> str:
        """The prompt, and how the model goes on for ``length`` symbols; by default with the seed of the run.

        Raises Refused where the model says nothing, or not in these words.
        """
        job = self.job
        if job.training.sample is None:
            raise Refused(f"what {job.experiment} trains goes on with no text: look at its figure()")
        if length < 1:
            raise Refused(f"the length must be at least 1, not {length}")
        rng = np.random.default_rng(job.seed if seed is None else seed)
        try:
            return prompt + job.training.sample(job.shape, self.state, job.data, prompt, length, rng)
        except ValueError as error:
            raise Refused(f"the prompt: {error}") from error

    def figure(self) -> Figure:
        """A matplotlib figure, which a notebook shows: the curve, the figures beside their targets, and what the
        trained model does.  Raises Missing without matplotlib.
        """
        if absent := missing_modules(self.entry.package, ("matplotlib",)):
            raise Missing(f"a figure {absent}")
        from exp_core.training.curve import curve_figure

        return curve_figure(self)

    def to_pandas(self) -> DataFrame:  # type: ignore[no-any-unimported]
        """A pandas.DataFrame: a line a step, with the columns of the log.  Raises Missing without pandas."""
        from exp_core.report.frame import curve_frame

        return curve_frame(self.lines)

    def __repr__(self) -> str:
        from exp_core.report.training import trained_words

        return trained_words(self)

    def __str__(self) -> str:
        from exp_core.report.console import as_text
        from exp_core.report.training import print_trained

        return as_text(lambda out: print_trained(self, out))

    def _repr_html_(self) -> str:
        from exp_core.report.training_html import trained_html

        return trained_html(self)
