"""``--steps``, ``--resume`` and ``--prompt``: the experiment is trained for real instead of its ladder climbed."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from exp_core.catalogue import Entry
from exp_core.cli.errors import EXIT_INTERRUPTED, EXIT_MISSING, EXIT_RIGHT, EXIT_WRONG
from exp_core.cli.options import option
from exp_core.cli.readers import STANDARD_OUTPUT, size_reader, whole_reader
from exp_core.cli.streams import say, tell
from exp_core.refusal import Missing, Refused

if TYPE_CHECKING:
    from exp_core.training.asked import Asked
    from exp_core.training.group import Group
    from exp_core.training.plan import Training
    from exp_core.training.trained import Trained

STARTERS = ("steps", "resume", "prompt")
SHARED = {"seed", "rung", "only", "threads", "plot", "csv", "verbose", "no_store"}  # with the ladder


def training_options(training: Training, sizes: Collection[str]) -> list[click.Parameter]:
    """The options of a training run; those of the model's sizes that the ladder does not have already."""
    from exp_core.training.plan import LENGTH

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
class Wanted:
    """The training part of the command line: the run itself, and what is to be done with what it leaves.

    length: symbols to say; None: as many as ``Trained.sample`` says by itself.
    """

    run: Asked
    prompt: str | None
    length: int | None
    plot: Path | None
    csv: Path | None

    @property
    def trains(self) -> bool:
        """Whether steps are to be made; else an earlier run's model is asked how the prompt goes on."""
        return self.run.steps is not None or self.run.resume


def read_wanted(
    training: Training, given: Mapping[str, object], devices: Sequence[str], plot: Path | None, only: object
) -> Wanted:
    """What was asked for.  Raises click.UsageError for an option that only a ladder has."""
    from exp_core.training.asked import Asked

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
    run = Asked(
        **{name: given.get(name) for name in ("steps", "data", "checkpoint", "save_every", "rung", "threads")},  # type: ignore[arg-type]
        resume=bool(given["resume"]),
        seed=cast("int", given["seed"]) if "seed" in spoken else None,
        batch=cast("int | None", given.get("size_batch")),
        sizes={name: cast("float", given[f"size_{name}"]) for name in sizes if given.get(f"size_{name}") is not None},
        only=cast("tuple[str, ...] | None", only),
        devices=tuple(name for name in devices if given[name]),
    )
    return Wanted(
        run,
        cast("str | None", given.get("prompt")),
        cast("int | None", given.get("length")),
        plot,
        cast("Path | None", given["csv"]),
    )


class _MissingForAll(click.ClickException):
    exit_code = EXIT_MISSING


def run_training(entry: Entry, training: Training, wanted: Wanted) -> int:
    """Train, say what came of it, draw; the exit code.  Raises click.ClickException and Refused."""
    from exp_core.training.group import ALONE, GroupError, join, launched

    if not launched():
        return _train(entry, training, wanted, ALONE)
    from exp_core.training.together import together

    def all_together() -> int:
        group = join()
        try:
            return _train(entry, training, wanted, group)
        except GroupError as error:
            raise GroupError(f"{entry.package}: {error}{_to_go_on(entry, wanted)}") from error
        except Refused as error:  # one process says it for all, with the exit code that it has everywhere
            kind = _MissingForAll if isinstance(error, Missing) else click.UsageError
            raise kind(f"{entry.package}: {error}") from error

    return together(all_together, EXIT_WRONG)


def _train(entry: Entry, training: Training, wanted: Wanted, group: Group) -> int:
    from exp_core.cli.train_progress import Watcher
    from exp_core.training.asked import read_trained, train_as_asked
    from exp_core.training.run import NotANumberError

    if not wanted.trains:
        _say_on(read_trained(entry, training, wanted.run), wanted)
        return EXIT_RIGHT
    try:
        trained = train_as_asked(entry, training, wanted.run, Watcher(), group)
    except NotANumberError as error:
        if group.leads:
            tell(f"{entry.package}: {error}")
        return EXIT_WRONG
    if group.leads:
        _tell(trained, wanted)
        if wanted.prompt is not None and not trained.interrupted:
            _say_on(trained, wanted)
    return EXIT_INTERRUPTED if trained.interrupted else EXIT_RIGHT


def _to_go_on(entry: Entry, wanted: Wanted) -> str:
    """What is left of a run whose processes have died."""
    from exp_core.training import checkpoint
    from exp_core.training.asked import where
    from exp_core.training.checkpoint import CheckpointError

    folder, _ = where(entry, wanted.run.checkpoint)
    try:
        step = checkpoint.read(checkpoint.path_to_read(folder)).step
    except CheckpointError:
        return "; nothing was saved yet"
    return f"; --resume goes on from the checkpoint of step {step} in {folder}"


def _tell(trained: Trained, wanted: Wanted) -> None:
    """What came of it: figures beside their targets, the files, and how to go on."""
    from exp_core.report.export import write
    from exp_core.report.figure import save
    from exp_core.report.training import target_lines

    entry, folder = trained.entry, trained.job.folder
    if trained.interrupted:
        command = f"python -m {entry.package} {entry.name} --steps {trained.steps} --resume"
        if wanted.run.checkpoint:
            command += f" --checkpoint {shlex.quote(str(folder))}"
        say(f"stopped after step {trained.step} of {trained.steps}, saved; to go on: {command}")
    else:
        for line in target_lines(trained):
            say(line)
    tell(f"checkpoint and log: {folder}")
    try:
        if wanted.csv:
            write(wanted.csv, trained.log.read_text(encoding="utf-8"))
        if wanted.plot:
            save(trained.figure(), wanted.plot)
            tell(f"drawn: {wanted.plot}")
    except OSError as error:
        raise click.ClickException(f"{error.filename} could not be written: {error.strerror}") from error


def _say_on(trained: Trained, wanted: Wanted) -> None:
    """The prompt, and how the model goes on."""
    assert wanted.prompt is not None
    say(trained.sample(wanted.prompt) if wanted.length is None else trained.sample(wanted.prompt, wanted.length))
