"""How to train, as arguments; read and refused, in one sentence, before any work."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exp_core.api.how import Names, names, read_size, whole
from exp_core.experiment import RUNGS
from exp_core.refusal import Refused
from exp_core.training.asked import Asked, Listener

if TYPE_CHECKING:
    from pathlib import Path

    from exp_core.report.bar import Bar
    from exp_core.training.job import Job, Moment
    from exp_core.training.plan import Training


@dataclass(frozen=True)
class HowToTrain:
    """The arguments of a training run, as they were given; None: as the experiment or the checkpoint says."""

    steps: int | None = None
    resume: bool = False
    data: str | Path | None = None
    batch: int | None = None
    seed: int | None = None
    checkpoint: str | Path | None = None
    save_every: int | None = None
    only: Names = None
    rung: Names = None
    threads: int | None = None
    device: Names = None
    progress: bool = True

    def read(self, training: Training, sizes: Mapping[str, object], devices: tuple[str, ...]) -> Asked:
        """What was asked for.  Raises Refused."""
        known = {size.name: size for size in training.sizes}
        for name in sizes:
            if name not in known:
                there = ", ".join(f"--{size}" for size in known)
                raise Refused(f"the model has no --{name}; it has {there or 'no sizes'}")
        return Asked(
            steps=_counted("--steps", self.steps, 1),
            resume=bool(self.resume),
            data=_spelled("--data: the name of a data set, or a file", self.data),
            checkpoint=_spelled("--checkpoint takes a folder or a checkpoint", self.checkpoint),
            save_every=_counted("--save-every", self.save_every, 1),
            seed=_counted("--seed", self.seed, 0),
            batch=_counted("--batch", self.batch, 1),
            sizes={name: read_size(known[name], value) for name, value in sizes.items()},
            only=names("engine", self.only, [engine.name for engine in training.engines]),
            rung=names("rung", self.rung, RUNGS),
            threads=_counted("--threads", self.threads, 1),
            devices=names("device", self.device, devices) or (),
        )


class BarListener(Listener):
    """Shows how a run goes on, on a terminal or in a notebook."""

    def __init__(self, bar: Bar) -> None:
        self.bar = bar

    def begins(self, job: Job, step: int) -> None:
        """The bar stands where the run goes on."""
        self.unit = job.training.unit
        self.bar.stage(f"step {step}/{job.steps}", step / job.steps)

    def moment(self, moment: Moment) -> None:
        """Show it."""
        from exp_core.report.training import left_words, moment_words

        text = f"step {moment.step}/{moment.steps}  {moment_words(moment, self.unit)}"
        self.bar.stage(text, moment.step / moment.steps, left_words(moment))


def _counted(label: str, value: object, least: int) -> int | None:
    return None if value is None else whole(label, value, least)


def _spelled(sentence: str, value: object) -> str | None:
    """A name or a path as text.  Raises Refused."""
    if value is None:
        return None
    try:
        return os.fsdecode(value)  # type: ignore[arg-type]
    except (TypeError, UnicodeError):
        raise Refused(f"{sentence}, not {value!r}") from None
