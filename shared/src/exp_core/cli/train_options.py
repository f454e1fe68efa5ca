"""The options of a training run, and what was wanted by them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from exp_core.cli.options import option
from exp_core.cli.readers import STANDARD_OUTPUT, size_reader, whole_reader

if TYPE_CHECKING:
    from exp_core.training.asked import Asked
    from exp_core.training.plan import Training

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
                [f"--{size.name}", f"size_{size.name}"],
                type=size_reader(size),
                metavar="NUMBER",
                help=f"{size.help[:1].upper()}{size.help[1:]}.",
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
