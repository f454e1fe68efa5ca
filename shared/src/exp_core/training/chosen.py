"""What a training run uses, of what there is: an engine and its device, data, threads, a folder.

Raises Refused, or Missing where something can be installed, in one sentence.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from exp_core.catalogue import Entry
from exp_core.contestants import chosen_devices
from exp_core.installed import missing_modules
from exp_core.machine import MEMORY_SHARE, DeviceMissing, available_memory, usable_cores
from exp_core.refusal import Missing, Refused, one_of, shortened
from exp_core.training import checkpoint
from exp_core.training.checkpoint import CheckpointError
from exp_core.training.folder import training_folder
from exp_core.training.plan import DataSet, Engine, Training

if TYPE_CHECKING:
    from exp_core.machine import DeviceName
    from exp_core.training.asked import Asked


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
