"""The one flow of a training run: batches, updates, figures, checkpoints; interrupted at any moment, it goes on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exp_core.timing import Stopwatch
from exp_core.training import checkpoint
from exp_core.training.checkpoint import Checkpoint, CheckpointError
from exp_core.training.group import GroupError, lost
from exp_core.training.job import Job, Moment, Outcome
from exp_core.training.log import Line, Log, read_log
from exp_core.training.plan import State

TURN_S = 0.25  # seconds that an engine is given at once: as often the bar moves, and Ctrl-C is heard
MOST_STEPS = 1000  # at once
MOST_BYTES = 2**26  # of batches at once
RECENT_S = 10.0  # the rate is that of the last few
SAVE_S = 30.0  # seconds between two checkpoints, where nobody says how many steps


class NotANumberError(ArithmeticError):
    """The loss, or a weight, is no finite number any more; the message is one sentence."""


@dataclass(frozen=True)
class Standing:
    """Everything that belongs to one step; exchanged as a whole, so that an interruption finds it whole.

    lines: so many of the run's lines belong to it.     logged: so many of them are in the log already.
    saved: the step of the last checkpoint; -1: none.
    """

    step: int
    state: State
    lines: int = 0
    logged: int = 0
    saved: int = -1


def train(job: Job, begin: Checkpoint, watch: Callable[[Moment], None], *, path: Path | None = None) -> Outcome:
    """Make the steps that are missing after ``begin``, which was read from ``path`` (None: nothing was there).

    Raises NotANumberError and CheckpointError; what was saved before then stays.  Raises GroupError if another process
    of the run has gone; the one that leads saves first.
    """
    run = Run(job, begin, watch, path)
    try:
        while run.now.step < job.steps:
            run.turn()
        run.save()
    except KeyboardInterrupt:
        run.save(anew=True)
        return run.outcome(interrupted=True)
    except (GroupError, RuntimeError) as error:
        if not (isinstance(error, GroupError) or lost(error)):
            raise
        try:
            run.save()
        except KeyboardInterrupt:  # the same Ctrl-C that the other process has ended by
            run.save(anew=True)
            return run.outcome(interrupted=True)
        raise GroupError(f"another process of this run has died, and all end after step {run.now.step}") from error
    return run.outcome()


class Run:
    """A training run in progress."""

    def __init__(self, job: Job, begin: Checkpoint, watch: Callable[[Moment], None], path: Path | None) -> None:
        self.job, self.watch = job, watch
        self.lines = read_log(job.folder, begin.step) if path else []
        known = len(self.lines)
        self.now = Standing(begin.step, begin.state, known, known, begin.step if path else -1)
        self.sound = path is None or path.name == checkpoint.LATEST  # the latest file is one that can be relied on
        self.log = Log(job.folder, dict.fromkeys(target.figure for target in job.training.targets))
        self.figures: Mapping[str, float] = {}
        self.length = 1
        self.turned = False
        self.rate: float | None = None
        self.timed_steps, self.timed_s = 0.0, 0.0
        self.since_saved = Stopwatch()
        if job.group.leads:
            try:
                job.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise CheckpointError(
                    f"{job.folder} cannot be made: {error.strerror}: give another --checkpoint"
                ) from error
            self.log.begin(self.lines)

    def turn(self) -> None:
        """Some steps at once, and what is due after them."""
        job, training, now = self.job, self.job.training, self.now
        stop = min(
            now.step + self.length,
            job.steps,
            *(self._next(every) for every in (training.every, job.save_every) if every),
        )
        steps = range(now.step, stop)
        watch = Stopwatch()
        batches = job.group.part(training.batches(job.shape, job.data, job.seed, steps, job.batch))
        batches = (*batches, *training.rates(steps, job.steps))
        losses, state = job.engine.advance(job.shape, now.state, batches, now.step)
        seconds = watch.elapsed()
        lines = [Line(step + 1, float(loss), {}) for step, loss in zip(steps, losses, strict=True)]
        self._refuse_what_is_no_number(lines)
        if stop == job.steps or stop % training.every == 0:
            self.figures = {name: float(value) for name, value in training.evaluate(job.shape, state, job.data).items()}
            lines[-1] = Line(stop, lines[-1].loss, self.figures)
        self.lines[now.lines :] = lines
        self.now = Standing(stop, state, len(self.lines), now.logged, now.saved)
        self._pace(len(steps), seconds, sum(batch.nbytes for batch in batches))
        left = None if self.rate is None else (job.steps - stop) * self.timed_s / self.timed_steps
        loss = float(np.mean([line.loss for line in lines]))
        self.watch(Moment(stop, job.steps, loss, self.rate, left, lines[-1].figures))
        due = self.since_saved.elapsed() >= SAVE_S if job.save_every is None else stop % job.save_every == 0
        if due:
            self.save()

    def save(self, *, anew: bool = False) -> None:
        """The log first: a log that is ahead of its checkpoint is cut back, one that is behind has a hole.

        anew: write the whole log, for it is not known how far it is: the last save may have been interrupted.
        """
        now, job = self.now, self.job
        if not all(np.isfinite(array).all() for array in now.state.values()):
            raise NotANumberError(f"a weight is not a number after step {now.step}; {self._kept()}")
        self.since_saved = Stopwatch()
        if job.group.leads and (anew or now.step != now.saved):
            try:
                if anew:
                    self.log.begin(self.lines[: now.lines])
                else:
                    self.log.append(self.lines[now.logged : now.lines])
                begun = Checkpoint(job.identity, now.step, now.state, job.steps)
                checkpoint.write(begun, job.folder, keep_latest=self.sound)
            except CheckpointError as error:
                raise CheckpointError(f"{error}; {self._kept()}") from error
            self.sound = True
        self.now = Standing(now.step, now.state, now.lines, now.lines, now.step)

    def outcome(self, *, interrupted: bool = False) -> Outcome:
        """What there is to say at the end."""
        return Outcome(
            self.now.step, self.now.state, tuple(self.lines[: self.now.lines]), self.figures, self.rate, interrupted
        )

    def _next(self, every: int) -> int:
        return (self.now.step // every + 1) * every

    def _pace(self, steps: int, seconds: float, nbytes: int) -> None:
        """How many steps the next turn takes; the first one, which compiles, says nothing about the rate."""
        if self.turned:
            self.timed_steps, self.timed_s = self.timed_steps + steps, self.timed_s + seconds
            if self.timed_s > RECENT_S:
                self.timed_steps, self.timed_s = self.timed_steps / 2, self.timed_s / 2
        self.turned = True
        if self.timed_steps:
            job = self.job
            examples = self.timed_steps * job.batch * job.training.per_example(job.shape)
            self.rate = examples / self.timed_s if self.timed_s else None
        most = min(MOST_STEPS, max(1, MOST_BYTES * steps // max(nbytes, 1)))
        self.length = max(1, min(most, 2 * self.length, int(steps * TURN_S / max(seconds, 1e-6))))

    def _refuse_what_is_no_number(self, lines: list[Line]) -> None:
        """Raise NotANumberError; the log keeps what led there."""
        for place, line in enumerate(lines):
            if not math.isfinite(line.loss):
                if self.job.group.leads:
                    self.log.append([*self.lines[self.now.logged : self.now.lines], *lines[:place]])
                raise NotANumberError(
                    f"the loss of step {line.step} is not a number: try a smaller step or another seed; {self._kept()}"
                )

    def _kept(self) -> str:
        saved = self.now.saved
        return "nothing was saved yet" if saved < 0 else f"the checkpoint of step {saved} is kept in {self.job.folder}"
