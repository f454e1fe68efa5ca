"""Where a training run stands, as a safetensors file: written whole or not at all, and read with suspicion.

Two generations are kept.  The new one is written beside them and flushed to the disk, then the last one becomes the
one before, then the new one takes its name: a kill, a power failure or a full disk at any moment leaves at least one
that is whole.

Source: safetensors' format (a length, a header in JSON, the arrays' bytes; its metadata are strings);
rename(2): "if newpath already exists, it will be atomically replaced".
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

from exp_core.refusal import Refused
from exp_core.training.plan import Numbers, State

FORMAT = "exp_core training 2"
LATEST, PREVIOUS, LOG = "latest.safetensors", "previous.safetensors", "log.csv"


class CheckpointError(Refused):
    """A checkpoint that cannot be used, or could not be written; the message is one sentence."""


@dataclass(frozen=True)
class Identity:
    """What must be the same for a run to go on: whose checkpoint it is, of what shape, and which way it goes."""

    experiment: str
    shape: str
    data: str
    seed: int
    batch: int
    engine: str


@dataclass(frozen=True)
class Checkpoint:
    """The state after ``step`` steps of a run that is to have ``steps``."""

    identity: Identity
    step: int
    state: State
    steps: int


def path_to_read(folder: Path) -> Path:
    """The latest checkpoint, or the one before if the latest was being put in place.  Raises CheckpointError."""
    for name in (LATEST, PREVIOUS):
        if (folder / name).exists():
            return folder / name
    raise CheckpointError(f"there is no checkpoint in {folder}: train first, with --steps and without --resume")


def write(checkpoint: Checkpoint, folder: Path, *, keep_latest: bool = True) -> Path:
    """Write it, and keep the latest one as the one before, unless that is damaged: then the one before stays.

    Raises CheckpointError if the disk will not have it; nothing is lost then.
    """
    from safetensors.numpy import save

    about = asdict(checkpoint.identity) | {"step": checkpoint.step, "steps": checkpoint.steps}
    content = save(dict(checkpoint.state), {"format": FORMAT, "training": json.dumps(about)})
    latest = folder / LATEST
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=folder, prefix="checkpoint", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if keep_latest:
            with suppress(FileNotFoundError):
                os.replace(latest, folder / PREVIOUS)
        os.replace(temporary, latest)
        flush_folder(folder)
    except OSError as error:
        with suppress(OSError):
            if temporary:
                os.unlink(temporary)
        raise CheckpointError(
            f"the checkpoint of step {checkpoint.step} could not be written to {folder}: {error.strerror or error}"
        ) from error
    return latest


def read(path: Path) -> Checkpoint:
    """A checkpoint.  Raises CheckpointError for a file that is none, is cut short, or is not one of ours."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            about = file.metadata() or {}
            if about.get("format") != FORMAT:
                raise CheckpointError(
                    f"{path} is a safetensors file, but no checkpoint of a training run of this version"
                )
            state = {name: cast("Numbers", file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
        told = json.loads(about["training"])
        step, steps = told.pop("step"), told.pop("steps")
        return Checkpoint(Identity(**told), step, state, steps)
    except CheckpointError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{path} is no checkpoint, or was cut short: {_others(path)}") from error


def same(wanted: Identity, found: Identity, path: Path) -> None:
    """Raise CheckpointError, naming the first difference, if a run cannot go on from what was found."""
    for name, value in asdict(wanted).items():
        other = getattr(found, name)
        if value != other:
            what = {"shape": "a model", "experiment": "the experiment", "engine": "the engine"}.get(name, name)
            raise CheckpointError(
                f"{path} has {what} {other}, and {value} was asked for: leave out --resume to start anew, "
                "or the option to go on"
            )


def fits(state: State, like: State, path: Path) -> None:
    """Raise CheckpointError if a state's arrays are not those of the model: names, shapes and element types."""
    described = [{name: (array.shape, array.dtype.name) for name, array in s.items()} for s in (state, like)]
    if described[0] != described[1]:
        raise CheckpointError(f"{path} holds other arrays than this model has: {described[0]}, not {described[1]}")


def on_other_engine(identity: Identity, engine: str) -> Identity:
    """The same run on another engine: allowed where it is asked for, since engines differ by rounding alone."""
    return replace(identity, engine=engine)


def set_aside(folder: Path) -> Path | None:
    """Move an earlier run to a folder of its own, so that a new one loses nothing; None if there was none.

    Its own files and no others: the folder may be somebody's home.  Raises OSError.
    """
    files = [folder / name for name in (LATEST, PREVIOUS, LOG) if (folder / name).exists()]
    if not files or files == [folder / LOG]:
        return None
    number = 1
    while (aside := folder.with_name(f"{folder.name}-{number}")).exists():
        number += 1
    if {child.name for child in folder.iterdir()} <= {LATEST, PREVIOUS, LOG}:
        os.replace(folder, aside)
        return aside
    aside.mkdir()
    for file in reversed(files):  # the latest last: killed in between, a run still begins where one was
        os.replace(file, aside / file.name)
    return aside


def flush_folder(folder: Path) -> None:
    """Make a rename survive a power failure, where the system lets a folder be opened (Windows does not)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _others(path: Path) -> str:
    """The remedy: the generation before, if it is there."""
    before = path.with_name(PREVIOUS)
    if path.name == LATEST and before.exists():
        return f"--checkpoint {before} goes on from the one before it"
    return "leave out --resume to start anew"
