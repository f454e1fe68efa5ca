"""What an experiment says about training for real.  Frozen values, nothing is imported for them but NumPy.

    EXPERIMENT = Experiment(
        ...,
        training=Training(
            data=(DataSet("digits", read_digits, "1,797 digits of 8 by 8 pixels"),),
            model=model, start=start, batches=batches, evaluate=evaluate,
            engines=(Engine(threads_engine, "compiled"), Engine(mlx_engine, "compiled", arrays="mlx")),
            targets=(Target("held-out accuracy", 0.975, "more"),),
            steps=2000, batch=64, unit="examples",
        ),
    )

Who calls what, and with what:

    data          = data_set.read()                                        whatever the others below understand
    shape         = training.model(data, **sizes)                          a frozen value; its repr is its identity
    state         = training.start(shape, rng)                             {"weights": ..., and the optimiser's}
    batches       = training.batches(shape, data, seed, steps, batch)      a tuple of arrays, the steps stacked in front
    batches      += (rates,)                                               the learning rates, if it has a schedule
    losses, state = engine.advance(shape, state, batches, step)            ``step`` updates have been made before
    figures       = training.evaluate(shape, state, data)                  {"held-out accuracy": 0.98}

State, batches and losses are NumPy arrays, whatever an engine computes with.  An engine must not change the state that
it is given, and its result must not depend on how many steps it is asked for at once: so that a run that was killed and
goes on follows the curve of one that was not, to the last bit.  What depends on how long the run is to be is the
learning rate alone: ``training.rate(step, steps)`` is stretched over the steps that were asked for, and an engine is
told the rate of each step.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import numpy as np

from exp_core.experiment import Arrays, ContractError, Rung, Size, first_line
from exp_core.experiment.words import modules_for

Numbers: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.generic]]"
State: TypeAlias = Mapping[str, Numbers]
LENGTH = 500  # symbols of a sample, where nobody says how many
Better = Literal["more", "less"]


@dataclass(frozen=True)
class DataSet:
    """Data to train on.

    name: as ``--data`` spells it.
    read: ``read()``: the data; raises OSError with one sentence where it cannot be had.
    title: what it is.
    requires: modules that reading imports.
    """

    name: str
    read: Callable[[], object]
    title: str
    requires: tuple[str, ...] = ()


@dataclass(frozen=True)
class Engine:
    """One way of making many steps.

    advance: ``advance(shape, state, batches, step) -> (losses, state)``: as many updates as the batches have entries,
        each loss that of the weights before its update; ``step`` updates have been made before these.
    rung, arrays, requires: as an Implementation has them.
    parallel: under ``mlx.launch`` it averages the gradients of all processes itself, each of which has its own part
        of every batch.
    """

    advance: Callable[..., tuple[Numbers, State]]
    rung: Rung
    _: KW_ONLY
    arrays: Arrays = "numpy"
    requires: tuple[str, ...] = ()
    parallel: bool = False

    @property
    def name(self) -> str:
        """The function's name."""
        return self.advance.__name__

    @property
    def title(self) -> str:
        """The first line of the function's docstring."""
        return first_line(self.advance)

    @property
    def modules(self) -> tuple[str, ...]:
        """Every module that must be importable."""
        return modules_for(self.rung, self.arrays, self.requires)


@dataclass(frozen=True)
class Target:
    """The published figure that a full run must reach: at least (``more``) or at most (``less``) so much.

    data: the data sets that it is for; none: all.
    """

    figure: str
    value: float
    better: Better
    source: str
    data: tuple[str, ...] = ()

    def reached(self, value: float) -> bool:
        """Whether a figure is good enough; one that is not a number never is."""
        return value >= self.value if self.better == "more" else value <= self.value


@dataclass(frozen=True)
class Training:
    """How an experiment is trained for real: ``python -m dl_exp NAME --steps N``.

    data: what there is to train on, the first one is the default and needs no network.
    model: ``model(data, **sizes) -> shape``, a frozen value whose repr says everything about the weights' meaning; its
        sizes are annotated as those of a problem.
    start: ``start(shape, rng) -> state``.
    batches: ``batches(shape, data, seed, steps, batch) -> tuple`` for a range of steps, stacked: a function of the seed
        and of the steps' numbers alone (see ``exp_core.training.batches``).
    engines: by preference.  On a GPU the first one of MLX is taken.
    evaluate: ``evaluate(shape, state, data) -> {figure: value}``.
    targets: what to reach.
    steps: how many it takes to get there.
    rate: ``rate(step, steps)``: the learning rate after ``step`` of ``steps`` updates, where it changes on the way:
        then the last of an engine's batches are the rates, float32, one a step.  None: the engines know it.
    batch: examples a step, unless ``--batch`` says otherwise.
    unit: what is counted a second, and ``per_example``: ``per_example(shape)`` of it are in one example.
    every: steps between two evaluations.
    file: ``file(path) -> data`` for ``--data FILE``; None if only the named sets will do.
    sample: ``sample(shape, state, data, prompt, length, rng) -> str`` for ``--prompt``; None if nothing can be said.
    picture: ``picture(figure, shape, state, data, rng)``: what the trained model does, drawn under its curve; or None.
    """

    _: KW_ONLY
    data: tuple[DataSet, ...]
    model: Callable[..., object]
    start: Callable[..., State]
    batches: Callable[..., tuple[Numbers, ...]]
    engines: tuple[Engine, ...]
    evaluate: Callable[..., Mapping[str, float]]
    targets: tuple[Target, ...]
    steps: int
    batch: int
    rate: Callable[[int, int], float] | None = None
    unit: str = "examples"
    per_example: Callable[..., int] = lambda shape: 1
    every: int = 250
    file: Callable[[Path], object] | None = None
    sample: Callable[..., str] | None = None
    picture: Callable[..., None] | None = None

    def __post_init__(self) -> None:
        if not (self.data and self.engines and self.targets):
            raise ContractError("training needs at least one data set, one engine and one target")
        if min(self.steps, self.batch, self.every) < 1:
            raise ContractError(
                "training needs at least one step, one example a batch and one step between evaluations"
            )
        for what, names in (
            ("data sets", [data_set.name for data_set in self.data]),
            ("engines", [engine.name for engine in self.engines]),
        ):
            if twice := {name for name in names if names.count(name) > 1}:
                raise ContractError(f"two {what} are called {', '.join(sorted(twice))}")

    def rates(self, steps: range, total: int) -> tuple[Numbers, ...]:
        """What the batches of these steps of a run of ``total`` end with: their rates, (len(steps),); or nothing."""
        if self.rate is None:
            return ()
        return (np.array([self.rate(step, total) for step in steps], np.float32),)

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The sizes of the model, off its signature.  Raises ContractError for one without a type, help or default."""
        hints = typing.get_type_hints(self.model, include_extras=True)
        sizes = []
        for parameter in list(inspect.signature(self.model).parameters.values())[1:]:
            hint = hints.get(parameter.name)
            if typing.get_origin(hint) is not Annotated or parameter.default is inspect.Parameter.empty:
                raise ContractError(f"the model's {parameter.name} needs Annotated[int, 'help'] and a default")
            type_, text = typing.get_args(hint)[:2]
            sizes.append(Size(parameter.name, type_, parameter.default, text))
        return tuple(sizes)
