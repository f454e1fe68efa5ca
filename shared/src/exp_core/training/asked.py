"""From what was asked for to a training run and what it leaves behind, whoever asks: the command line or Python.

Refused in one sentence, before any work, where it contradicts itself or cannot run here.  The sentences name options as
the command line does; ``exp_core.api`` spells them as arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from exp_core.catalogue import Entry
from exp_core.contestants import Device
from exp_core.machine import thread_limit, usable_cores
from exp_core.refusal import Refused
from exp_core.training import checkpoint
from exp_core.training.checkpoint import Checkpoint, CheckpointError
from exp_core.training.chosen import (
    choose_data,
    choose_engine,
    chosen_threads,
    refuse_what_cannot_fit,
    set_aside,
    where,
)
from exp_core.training.group import ALONE, Group
from exp_core.training.job import Job, Outcome
from exp_core.training.log import read_log
from exp_core.training.plan import Engine, Training
from exp_core.training.run import train
from exp_core.training.trained import Trained

if TYPE_CHECKING:
    from exp_core.training.job import Moment


@dataclass(frozen=True)
class Asked:
    """A training run as asked for; None: as the checkpoint says where it goes on from one, else as the plan does.

    data: the name of a set, or a file.     checkpoint: a folder, or a checkpoint to go on from.
    save_every: steps between two checkpoints; None: half a minute.
    only, rung: engines to choose from.     devices: none: MLX's best, where MLX is to compute at all.
    """

    steps: int | None = None
    resume: bool = False
    data: str | None = None
    checkpoint: str | None = None
    save_every: int | None = None
    seed: int | None = None
    batch: int | None = None
    sizes: Mapping[str, float] = field(default_factory=dict)
    only: tuple[str, ...] | None = None
    rung: tuple[str, ...] | None = None
    threads: int | None = None
    devices: tuple[str, ...] = ()


class Listener:
    """Hears how a run goes on; this one lets it pass."""

    def begins(self, job: Job, step: int) -> None:
        """The first step is about to be made, after so many."""

    def note(self, sentence: str) -> None:
        """What has to be known beside the curve."""

    def moment(self, moment: Moment) -> None:
        """Some steps further on."""

    def ends(self) -> None:
        """No step is made any more, however it came."""


def train_as_asked(entry: Entry, training: Training, asked: Asked, listener: Listener, group: Group = ALONE) -> Trained:
    """Make the steps; what they leave behind.  Ctrl-C ends it early, saved, with ``interrupted``.

    Raises Refused and Missing before the first step; CheckpointError, NotANumberError and GroupError as ``run.train``.
    """
    engine, device = choose_engine(entry, training, asked, shared=group.size > 1)
    threads = chosen_threads(asked.threads) or max(1, usable_cores() // group.here)
    notes: list[str] = []

    def note(sentence: str) -> None:
        notes.append(sentence)
        listener.note(sentence)

    with Device(device if engine.arrays == "mlx" else None), thread_limit(threads):
        job, begin, path = prepare(entry, training, engine, asked, group)
        if begin.step >= job.steps:
            raise Refused(f"the checkpoint has {begin.step} steps already: --steps {2 * begin.step} would go on")
        if path is None and group.leads and (aside := set_aside(job.folder)):
            note(f"the run before this one is now in {aside}")
        if group.leads and training.rate and begin.steps != job.steps:
            note(
                f"the learning rate was laid out for {begin.steps} steps, and is for {job.steps} from here on: "
                f"the curve is not that of {job.steps} steps in one go"
            )
        listener.begins(job, begin.step)
        try:
            outcome = train(job, begin, listener.moment, path=path)
        finally:
            listener.ends()
    return Trained(entry, job, outcome, job.folder / checkpoint.LATEST, tuple(notes))


def read_trained(entry: Entry, training: Training, asked: Asked) -> Trained:
    """What a run before this one has left behind, read from its checkpoint and its log; no step is made.

    Raises Refused and Missing.
    """
    engine, device = choose_engine(entry, training, asked)
    with (
        Device(device if engine.arrays == "mlx" else None),
        thread_limit(chosen_threads(asked.threads) or usable_cores()),
    ):
        job, found, path = prepare(entry, training, engine, replace(asked, resume=True))
    assert path is not None
    lines = tuple(read_log(job.folder, found.step))
    figures = next((line.figures for line in reversed(lines) if line.figures), {})
    return Trained(entry, job, Outcome(found.step, found.state, lines, figures, None), path)


def prepare(
    entry: Entry, training: Training, engine: Engine, asked: Asked, group: Group = ALONE
) -> tuple[Job, Checkpoint, Path | None]:
    """The run, where it begins, and the file that says so (None: it begins anew).  Raises Missing and Refused."""
    folder, file = where(entry, asked.checkpoint)
    found: Checkpoint | None = None
    path: Path | None = None
    if asked.resume:
        path = file or checkpoint.path_to_read(folder)
        found = checkpoint.read(path)
        if found.identity.experiment != entry.name:
            raise CheckpointError(f"{path} is a checkpoint of {found.identity.experiment}, not of {entry.name}")
    kept = found.identity if found else None
    data_name, data = choose_data(entry, training, asked.data or (kept.data if kept else None))
    refuse_what_cannot_fit(asked.batch or training.batch)
    try:
        shape = training.model(data, **asked.sizes)
    except ValueError as error:
        raise Refused(str(error)) from error
    job = Job(
        entry.name,
        training,
        engine,
        shape,
        data,
        data_name,
        asked.seed if asked.seed is not None else (kept.seed if kept else 0),
        asked.batch or (kept.batch if kept else training.batch),
        asked.steps or (found.steps if found else training.steps),
        folder,
        asked.save_every,
        group,
    )
    if job.batch < group.size:
        raise Refused(f"{group.size} processes cannot share {job.batch} examples: --batch {group.size} at least")
    try:
        begin = job.beginning()
    except ValueError as error:  # NumPy's, of arrays that no address could reach
        raise Refused(f"no memory holds such a model ({error}): choose smaller sizes") from error
    if found is None:
        return job, begin, None
    assert path is not None
    if asked.only or asked.rung or asked.devices or found.identity.engine not in {e.name for e in training.engines}:
        found = replace(found, identity=checkpoint.on_other_engine(found.identity, engine.name))
    else:
        own = {each.name: each for each in training.engines}[found.identity.engine]
        job = replace(job, engine=own)
    checkpoint.same(job.identity, found.identity, path)
    checkpoint.fits(found.state, begin.state, path)
    return job, found, path
