"""The asker's own function as one more implementation, in this process: bare function, no knowledge of any of this.

It is held to the widest of our own bounds for each law, and timed among ours.  What it costs is not known, so that it
has no limit; that a call will fit into the budget is foretold as if its work grew like that of our dearest one.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO, TypeVar

from exp_core.experiment import Arrays, Cost, Experiment, Implementation, Problem
from exp_core.refusal import Refused

if TYPE_CHECKING:
    from exp_core.asked import RunOptions
    from exp_core.user import UserFunction

Found = TypeVar("Found")
Own = Callable[..., object] | Mapping[str, Callable[..., object]]


def own_implementations(experiment: Experiment, problem: Problem, own: Own) -> tuple[Implementation, ...]:
    """A function under its own name, or functions by the names given.  Raises Refused."""
    if not (callable(own) or isinstance(own, Mapping)):
        raise Refused(f"with_ takes a function, functions by name, or FILE.py:FUNCTION, not {own!r}")
    functions = own if isinstance(own, Mapping) else {getattr(own, "__name__", type(own).__name__): own}
    taken = {implementation.name for implementation in experiment.implementations}
    for name, function in functions.items():
        if not callable(function):
            raise Refused(f"with_ takes functions by name, and {name} is {function!r}")
        if name in taken:
            raise Refused(f"one of ours is called {name} too: give yours a name, as in with_={{'mine': {name}}}")
    return tuple(_implementation(experiment, problem, name, function) for name, function in functions.items())


def own_from_file(
    text: str, experiment: Experiment, only: tuple[str, ...] | None, run: RunOptions
) -> tuple[Experiment, tuple[str, ...] | None, UserFunction | None]:
    """``FILE.py:FUNCTION``, which runs in a process of its own; or a kernel's body, in the place of ours.

    Where it is a kernel, the experiment has one implementation more, which is among those to run.  Raises Refused.
    """
    if is_kernel(text, run.emulator):
        if run.processes > 1:
            raise Refused("--with a kernel is timed in this process: leave --processes out")
        kernel: Implementation = refused(importlib.import_module(run.emulator).own_kernel, experiment, text)
        wanted = None if only is None else (*only, kernel.name)
        return replace(experiment, implementations=(*experiment.implementations, kernel)), wanted, None
    from exp_core.user_file import find_user_function

    user = refused(find_user_function, text, kernel_suffixes(run.emulator))
    user.call_limit_s = run.budget
    return experiment, only, user


def is_kernel(text: str, emulator: str) -> bool:
    """Whether FILE[:NAME] is a kernel's body by its suffix.  emulator: the module that runs it; empty: none does."""
    return text.partition(":")[0].endswith(kernel_suffixes(emulator))


def kernel_suffixes(emulator: str) -> tuple[str, ...]:
    """Of files that hold a kernel's body."""
    suffixes: tuple[str, ...] = importlib.import_module(emulator).SUFFIXES if emulator else ()
    return suffixes


def refused(function: Callable[..., Found], *arguments: object) -> Found:
    """The function's result; what it says in a ValueError is said as Refused."""
    try:
        return function(*arguments)
    except ValueError as error:
        raise Refused(str(error)) from error


def arrays_of(experiment: Experiment) -> Arrays:
    """What an own function is called with: MLX arrays where an implementation of ours takes them, else NumPy's."""
    return "mlx" if any(implementation.arrays == "mlx" for implementation in experiment.implementations) else "numpy"


@contextmanager
def silent() -> Iterator[None]:
    """What is printed goes nowhere: a function that prints does so thousands of times while it is timed."""
    before, sys.stdout = sys.stdout, _Nowhere(sys.stdout)
    try:
        yield
    finally:
        sys.stdout = before


class _Nowhere:
    """A stream that keeps nothing, and is otherwise the one that it stands for."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return len(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def _implementation(
    experiment: Experiment, problem: Problem, name: str, function: Callable[..., object]
) -> Implementation:
    def cost(*inputs: object) -> Cost:
        dearest = max((i.cost(*inputs) for i in experiment.implementations), key=lambda c: c.flops + c.bytes)
        return Cost(dearest.flops, dearest.bytes)

    def bound_of(law: str) -> Callable[..., float]:
        return lambda *inputs: experiment.widest_bounds(problem.name, inputs)[law]

    return Implementation(
        _named(name, function),
        "vectorised",
        cost=cost,
        bound={law: bound_of(law) for law in experiment.laws},
        arrays=arrays_of(experiment),
    )


def _named(name: str, function: Callable[..., object]) -> Callable[..., object]:
    """The function, if that is its name; what has none or another one is called through a function that has."""
    if getattr(function, "__name__", None) == name:
        return function

    def call(*arguments: object) -> object:
        return function(*arguments)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = function.__doc__
    return call
