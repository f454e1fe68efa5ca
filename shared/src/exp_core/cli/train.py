"""``--steps``, ``--resume`` and ``--prompt``: the experiment is trained for real instead of its ladder climbed."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import numpy as np

from exp_core.catalogue import Entry
from exp_core.cli.errors import EXIT_INTERRUPTED, EXIT_MISSING, EXIT_RIGHT, EXIT_WRONG
from exp_core.cli.options import STANDARD_OUTPUT, one_of, option, shortened, size_reader, whole_reader
from exp_core.cli.streams import say, tell
from exp_core.cli.train_progress import Watcher
from exp_core.refusal import Missing, Refused

if TYPE_CHECKING:
    from exp_core.machine import DeviceName
    from exp_core.training.checkpoint import Checkpoint
    from exp_core.training.group import Group
    from exp_core.training.plan import DataSet, Engine, Training
    from exp_core.training.run import Job, Outcome

STARTERS = ("steps", "resume", "prompt")
SHARED = {"seed", "rung", "only", "threads", "plot", "csv", "verbose", "no_store"}  # with the ladder
LENGTH = 500  # symbols of a sample


def training_options(training: Training, sizes: Collection[str]) -> list[click.Parameter]:
    """The options of a training run; those of the model's sizes that the ladder does not have already."""
    names = ", ".join(f"{data_set.name} ({data_set.title})" for data_set in training.data)
    file = ", or FILE" if training.file else ""
    own = [size for size in training.sizes if size.name not in sizes]
    options: list[click.Parameter] = [
        option(
            "--steps", whole_reader("--steps", 1), "NUMBER", f"Train so many steps; {training.steps} for the target."
        ),
        click.Option(["--resume"], is_flag=True, help="Go on from the last checkpoint."),
        click.Option(["--data"], metavar="NAME", help=f"What to train on: {names}{file}."),
        click.Option(
            ["--checkpoint"], metavar="PATH", help="Folder of checkpoints and log, or a checkpoint to go on from."
        ),
        option(
            "--save-every", whole_reader("--save-every", 1), "STEPS", "Steps between two checkpoints.  [30 seconds]"
        ),
        *(
            click.Option(
                [f"--{size.name}", f"size_{size.name}"], type=size_reader(size), metavar="NUMBER", help=size.help
            )
            for size in own
        ),
    ]
    if "batch" not in sizes:
        text = f"Examples a step.  [default: {training.batch}]"
        reader = whole_reader("--batch", 1)
        options.append(click.Option(["--batch", "size_batch"], type=reader, metavar="NUMBER", help=text))
    if training.sample:
        options += [
            click.Option(["--prompt"], metavar="TEXT", help="Say how it goes on, with the trained model."),
            option("--length", whole_reader("--length", 1), "NUMBER", f"Symbols to say.  [default: {LENGTH}]"),
        ]
    return options


def wants_training(given: Mapping[str, object]) -> bool:
    """Whether these options ask for training.  Raises click.UsageError for options of training without it."""
    if any(given.get(name) not in (None, False) for name in STARTERS):
        return True
    for name in ("data", "checkpoint", "save_every", "length"):
        if given.get(name) is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} is for training: add --steps NUMBER")
    return False


@dataclass(frozen=True)
class Asked:
    """The training part of the command line."""

    steps: int | None
    resume: bool
    prompt: str | None
    data: str | None
    checkpoint: str | None
    save_every: int | None
    length: int
    seed: int | None
    batch: int | None
    sizes: Mapping[str, float]
    only: tuple[str, ...] | None
    rung: tuple[str, ...] | None
    threads: int | None
    devices: tuple[str, ...]
    plot: Path | None
    csv: Path | None


def read_asked(
    training: Training, given: Mapping[str, object], devices: Sequence[str], plot: Path | None, only: object
) -> Asked:
    """What was asked for.  Raises click.UsageError for an option that only a ladder has."""
    context = click.get_current_context()
    sizes = {size.name for size in training.sizes}
    known = {*STARTERS, *SHARED, *devices, "data", "checkpoint", "save_every", "length", "size_batch"}
    known |= {f"size_{name}" for name in sizes}
    spoken = [
        name for name in context.params if context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE
    ]
    for name in spoken:
        if name not in known:
            flag = name.removeprefix("size_").removesuffix("_").replace("_", "-")
            raise click.UsageError(f"--{flag} belongs to the ladder, not to training: leave it out")
    if given["csv"] == STANDARD_OUTPUT:
        raise click.UsageError("--csv - is for the ladder: name a file for the log of a training run")
    return Asked(
        **{
            name: given.get(name)
            for name in ("steps", "prompt", "data", "checkpoint", "save_every", "rung", "threads", "csv")
        },  # type: ignore[arg-type]
        resume=bool(given["resume"]),
        length=cast("int | None", given.get("length")) or LENGTH,
        seed=cast("int", given["seed"]) if "seed" in spoken else None,
        batch=cast("int | None", given.get("size_batch")),
        sizes={name: cast("float", given[f"size_{name}"]) for name in sizes if given.get(f"size_{name}") is not None},
        only=cast("tuple[str, ...] | None", only),
        devices=tuple(name for name in devices if given[name]),
        plot=plot,
    )


class _MissingForAll(click.ClickException):
    exit_code = EXIT_MISSING


def run_training(entry: Entry, training: Training, asked: Asked) -> int:
    """Train, say what came of it, draw; the exit code.  Raises click.ClickException and Missing."""
    from exp_core.training.group import ALONE, GroupError, join, launched

    if not launched():
        return _train(entry, training, asked, ALONE)
    from exp_core.training.together import together

    def all_together() -> int:
        group = join()
        try:
            return _train(entry, training, asked, group)
        except GroupError as error:
            raise GroupError(f"{entry.package}: {error}{_to_go_on(entry, asked)}") from error
        except Refused as error:  # one process says it for all, with the exit code that it has everywhere
            kind = _MissingForAll if isinstance(error, Missing) else click.UsageError
            raise kind(f"{entry.package}: {error}") from error

    return together(all_together, EXIT_WRONG)


def _train(entry: Entry, training: Training, asked: Asked, group: Group) -> int:
    from exp_core.contestants import Device, missing_modules
    from exp_core.machine import thread_limit, usable_cores
    from exp_core.training.checkpoint import CheckpointError
    from exp_core.training.run import NotANumberError

    if absent := missing_modules(entry.package, ("safetensors",)):
        raise Missing(f"checkpoints {absent}")
    engine, device = choose_engine(entry, training, asked, shared=group.size > 1)
    threads = asked.threads or max(1, usable_cores() // group.here)
    try:
        with Device(device if engine.arrays == "mlx" else None), thread_limit(threads):
            job, begin, path = prepare(entry, training, engine, asked)
            if job.batch < group.size:
                raise click.UsageError(
                    f"{group.size} processes cannot share {job.batch} examples: --batch {group.size} at least"
                )
            return _run(entry, replace(job, group=group), begin, path, asked)
    except NotANumberError as error:
        if group.leads:
            tell(f"{entry.package}: {error}")
        return EXIT_WRONG
    except CheckpointError as error:
        raise click.ClickException(str(error)) from error


def _to_go_on(entry: Entry, asked: Asked) -> str:
    """What is left of a run whose processes have died."""
    from exp_core.training import checkpoint
    from exp_core.training.checkpoint import CheckpointError

    folder, _ = where(entry, asked.checkpoint)
    try:
        step = checkpoint.read(checkpoint.path_to_read(folder)).step
    except CheckpointError:
        return "; nothing was saved yet"
    return f"; --resume goes on from the checkpoint of step {step} in {folder}"


def choose_engine(entry: Entry, training: Training, asked: Asked, *, shared: bool = False) -> tuple[Engine, DeviceName]:
    """The first engine asked for that can run here, and its device.  Raises Missing and click.UsageError.

    shared: it must be able to share its batches with other processes.
    """
    from exp_core.contestants import chosen_devices, missing_modules
    from exp_core.machine import DeviceMissing

    wanted = [
        engine
        for engine in training.engines
        if (asked.only is None or engine.name in asked.only) and (asked.rung is None or engine.rung in asked.rung)
    ]
    if not wanted:
        names = ", ".join(f"{engine.name} ({engine.rung})" for engine in training.engines)
        raise click.UsageError(f"nothing of that name or rung trains {entry.name}; these do: {names}")
    if shared and not (wanted := [engine for engine in wanted if engine.parallel]):
        able = ", ".join(engine.name for engine in training.engines if engine.parallel) or "none"
        raise click.UsageError(
            f"several processes cannot share a batch there; engines of {entry.name} that can: {able}"
        )
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
    """The data, and their name.  Raises Missing and click.UsageError."""
    from exp_core.contestants import missing_modules

    sets = {data_set.name: data_set for data_set in training.data}
    path = Path(name) if name else None
    try:
        if path and name not in sets and training.file and (path.exists() or path.suffix):
            return str(path.absolute()), training.file(path)
        data_set: DataSet = sets[one_of("data set", name, tuple(sets))] if name else training.data[0]
        if absent := missing_modules(entry.package, data_set.requires):
            raise Missing(f"the data set {data_set.name} {absent}")
        return data_set.name, data_set.read()
    except Missing:
        raise
    except (OSError, UnicodeDecodeError, ValueError) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise click.UsageError(f"--data {name or training.data[0].name}: {' '.join(text.split())}") from error


def prepare(entry: Entry, training: Training, engine: Engine, asked: Asked) -> tuple[Job, Checkpoint, Path | None]:
    """The run, where it begins, and the file that says so.  Raises CheckpointError, Missing and click.UsageError."""
    from exp_core.training import checkpoint
    from exp_core.training.checkpoint import CheckpointError
    from exp_core.training.run import Job

    folder, file = where(entry, asked.checkpoint)
    found: Checkpoint | None = None
    path: Path | None = None
    if asked.resume or asked.steps is None:
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
        raise click.UsageError(str(error)) from error
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
    )
    try:
        begin = job.beginning()
    except ValueError as error:  # NumPy's, of arrays that no address could reach
        raise click.UsageError(f"no memory holds such a model ({error}): choose smaller sizes") from error
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


def refuse_what_cannot_fit(batch: int) -> None:
    """Raise click.UsageError for a batch of which the indices alone, of 8 bytes, do not fit into the free memory."""
    from exp_core.ladder import MEMORY_SHARE
    from exp_core.machine import available_memory

    need, free = 8.0 * batch, available_memory()
    if need > MEMORY_SHARE * free:
        raise click.UsageError(f"--batch {batch} does not fit into the {free / 1e9:.1f} GB that are free: take less")


def where(entry: Entry, given: str | None) -> tuple[Path, Path | None]:
    """The folder of the run, and the checkpoint to begin with if one was named."""
    from exp_core.training.folder import training_folder

    if given is None:
        return training_folder(entry.name), None
    try:
        path = Path(given).expanduser().absolute()
        with contextlib.suppress(FileNotFoundError):
            path.stat()
    except (OSError, RuntimeError, ValueError) as error:
        raise click.UsageError(f"--checkpoint takes a folder or a checkpoint, not {shortened(ascii(given))}") from error
    return (path.parent, path) if path.suffix == ".safetensors" else (path, None)


def _run(entry: Entry, job: Job, begin: Checkpoint, path: Path | None, asked: Asked) -> int:
    from exp_core.training import checkpoint
    from exp_core.training.run import train

    leads = job.group.leads
    if path is None and leads:
        try:
            aside = checkpoint.set_aside(job.folder)
        except OSError as error:
            raise click.ClickException(f"{job.folder} cannot be set aside: {error.strerror}") from error
        if aside:
            tell(f"the run before this one is now in {aside}")
    if asked.prompt is not None and asked.steps is None and not asked.resume:
        _say_on(job, begin, asked)
        return EXIT_RIGHT
    if begin.step >= job.steps:
        raise click.UsageError(f"the checkpoint has {begin.step} steps already: --steps {2 * begin.step} would go on")
    if leads and job.training.rate and begin.steps != job.steps:
        tell(
            f"the learning rate was laid out for {begin.steps} steps, and is for {job.steps} from here on: "
            f"the curve is not that of {job.steps} steps in one go"
        )
    with Watcher(entry, job, begin.step) as watcher:
        outcome = train(job, begin, watcher.moment, path=path)
    if leads:
        _tell(entry, job, outcome, asked)
        if asked.prompt is not None and not outcome.interrupted:
            _say_on(job, checkpoint.Checkpoint(job.identity, outcome.step, outcome.state, job.steps), asked)
    return EXIT_INTERRUPTED if outcome.interrupted else EXIT_RIGHT


def _tell(entry: Entry, job: Job, outcome: Outcome, asked: Asked) -> None:
    """What came of it: figures beside their targets, the files, and how to go on."""
    from exp_core.report.export import write
    from exp_core.training.checkpoint import LOG
    from exp_core.training.curve import draw

    command = f"python -m {entry.package} {entry.name} --steps {job.steps} --resume"
    if asked.checkpoint:
        command += f" --checkpoint {shlex.quote(str(job.folder))}"
    if outcome.interrupted:
        say(f"stopped after step {outcome.step} of {job.steps}, saved; to go on: {command}")
    else:
        for target in job.targets:
            value = outcome.figures[target.figure]
            sign, verdict = (
                "≥" if target.better == "more" else "≤",
                "reached" if target.reached(value) else "not reached",
            )
            say(f"{target.figure}: {value:.4g}   target {sign} {target.value:g} ({target.source}): {verdict}")
    tell(f"checkpoint and log: {job.folder}")
    try:
        if asked.csv:
            write(asked.csv, (job.folder / LOG).read_text(encoding="utf-8"))
        if asked.plot:
            title = f"{entry.title.partition(':')[0]}: {outcome.step} steps on {Path(job.data_name).name}"
            draw(job, outcome, title, asked.plot)
            tell(f"drawn: {asked.plot}")
    except OSError as error:
        raise click.ClickException(f"{error.filename} could not be written: {error.strerror}") from error


def _say_on(job: Job, trained: Checkpoint, asked: Asked) -> None:
    """The prompt, and how the model goes on."""
    assert job.training.sample is not None
    assert asked.prompt is not None
    rng = np.random.default_rng(job.seed)
    try:
        text = job.training.sample(job.shape, trained.state, job.data, asked.prompt, asked.length, rng)
    except ValueError as error:
        raise click.UsageError(f"--prompt: {error}") from error
    say(asked.prompt + text)
