"""What the inputs of an experiment are called: the arguments of its own implementations."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from exp_core.experiment import Experiment, Inputs


def parameters(experiment: Experiment) -> tuple[str, ...]:
    """The parameters as the first implementation has them that takes the inputs unprepared: ``("f", "x", "*data")``.

    Where all are prepared, those of the first law, which takes the inputs too.
    """
    for implementation in experiment.implementations:
        if implementation.prepare is None:
            return _parameters(implementation.function)
    names = _parameters(next(iter(experiment.laws.values())))[1:]
    return names if experiment.oracle is None else names[:-1]


def input_names(experiment: Experiment, inputs: Inputs) -> tuple[str, ...]:
    """A name for each input: ``f``, ``x``, ``data[0]``, ``data[1]``."""
    names: list[str] = []
    for name in parameters(experiment):
        if name.startswith("*"):
            names += [f"{name[1:]}[{number}]" for number in range(len(inputs) - len(names))]
        else:
            names.append(name)
    names += [f"input {number + 1}" for number in range(len(names), len(inputs))]
    return tuple(names[: len(inputs)])


def _parameters(function: Callable[..., object]) -> tuple[str, ...]:
    """As they stand in the function itself, not in what it wraps; one that is called ``_`` gets a number."""
    given = inspect.signature(function, follow_wrapped=False).parameters.values()
    names: list[str] = []
    for number, parameter in enumerate(given):
        name = parameter.name if parameter.name.strip("_") else f"argument_{number}"
        if parameter.kind is not parameter.VAR_KEYWORD:
            names.append(f"*{name}" if parameter.kind is parameter.VAR_POSITIONAL else name)
    return tuple(names)
