"""From what was asked for to a training run and what it leaves behind, whoever asks: the command line or Python.

Refused in one sentence, before any work, where it contradicts itself or cannot run here.  The sentences name options as
the command line does; ``exp_core.api`` spells them as arguments.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from exp_core.catalogue import Entry
from exp_core.contestants import Device, chosen_devices, missing_modules
from exp_core.ladder import MEMORY_SHARE
from exp_core.machine import DeviceMissing, available_memory, thread_limit, usable_cores
from exp_core.refusal import Missing, Refused, one_of, shortened
from exp_core.training import checkpoint
from exp_core.training.checkpoint import Checkpoint, CheckpointError
from exp_core.training.folder import training_folder
from exp_core.training.group import ALONE, Group
from exp_core.training.log import read_log
from exp_core.training.plan import DataSet, Engine, Training
from exp_core.training.run import Job, Outcome, train
from exp_core.training.trained import Trained

if TYPE_CHECKING:
    from exp_core.machine import DeviceName
    from exp_core.training.run import Moment


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


def choose_engine(entry: Entry, training: Training, asked: Asked, *, shared: bool = False) -> tuple[Engine, DeviceName]:
    """The first engine asked for that can run here, and its device.  Raises Missing and Refused.

    shared: it must be able to share its batches with other processes.
    """
    if absent := missing_modules(entry.package, ("safetensors",)):
        raise Missing(f"checkpoints {absent}")
    wanted = [
        engine
        for engine in training.engines
        if (asked.only is None or engine.name in asked.only) and (asked.rung is None or engine.rung in asked.rung)
    ]
    if not wanted:
        names = ", ".join(f"{engine.name} ({engine.rung})" for engine in training.engines)
        raise Refused(f"nothing of that name or rung trains {entry.name}; these do: {names}")
    if shared and not (wanted := [engine for engine in wanted if engine.parallel]):
        able = ", ".join(engine.name for engine in training.engines if engine.parallel) or "none"
        raise Refused(f"several processes cannot share a batch there; engines of {entry.name} that can: {able}")
    absences = [missing_modules(entry.package, engine.modules) for engine in wanted]
    usable = [engine for engine, absent in zip(wanted, absences, strict=True) if absent is None]
    if not usable:
        raise Missing(f"{wanted[0].name} {absences[0]}")
    try:
        devices = chosen_devices(asked.devices) if any(engine.arrays == "mlx" for engine in usable) else ("cpu",)
    except DeviceMissing as error:
        raise Missing(str(error)) from error
    best = devices[-1] if not asked.devices else devices[0]
    if best != "cpu":
        usable = [engine for engine in usable if engine.arrays == "mlx"]
    return usable[0], best if usable[0].arrays == "mlx" else "cpu"


def choose_data(entry: Entry, training: Training, name: str | None) -> tuple[str, object]:
    """The data, and their name.  Raises Missing and Refused."""
    sets = {data_set.name: data_set for data_set in training.data}
    try:
        path = Path(name) if name else None
        if path and name not in sets and training.file and (path.exists() or path.suffix):
            return str(path.absolute()), training.file(path)
        data_set: DataSet = sets[one_of("data set", name, sets)] if name else training.data[0]
        if absent := missing_modules(entry.package, data_set.requires):
            raise Missing(f"the data set {data_set.name} {absent}")
        return data_set.name, data_set.read()
    except Refused:
        raise
    except (OSError, UnicodeDecodeError, ValueError) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Refused(f"--data {name or training.data[0].name}: {' '.join(text.split())}") from error


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


def chosen_threads(asked: int | None) -> int | None:
    """So many as were asked for.  Raises Refused where there are not as many cores."""
    if asked is not None and asked > usable_cores():
        raise Refused(f"--threads {asked} is more than the {usable_cores()} cores that can be used here")
    return asked


def refuse_what_cannot_fit(batch: int) -> None:
    """Raise Refused for a batch of which the indices alone, of 8 bytes, do not fit into the free memory."""
    need, free = 8.0 * batch, available_memory()
    if need > MEMORY_SHARE * free:
        raise Refused(f"--batch {batch} does not fit into the {free / 1e9:.1f} GB that are free: take less")


def where(entry: Entry, given: str | None) -> tuple[Path, Path | None]:
    """The folder of the run, and the checkpoint to begin with if one was named.  Raises Refused."""
    if given is None:
        return training_folder(entry.name), None
    try:
        os.fsencode(given)
        path = Path(given).expanduser().absolute()
        with contextlib.suppress(FileNotFoundError):
            path.stat()
    except (OSError, RuntimeError, ValueError) as error:
        raise Refused(f"--checkpoint takes a folder or a checkpoint, not {shortened(ascii(given))}") from error
    return (path.parent, path) if path.suffix == ".safetensors" else (path, None)


def set_aside(folder: Path) -> Path | None:
    """Where an earlier run of this folder is now; None if there was none.  Raises CheckpointError."""
    try:
        return checkpoint.set_aside(folder)
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be set aside: {error.strerror}") from error
