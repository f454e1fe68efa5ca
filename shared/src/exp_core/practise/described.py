"""Inputs and results in words: dtypes, and shapes by the names of the sizes where these can be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from exp_core.case import Case
from exp_core.experiment import Experiment, Problem
from exp_core.practise.question import ask
from exp_core.practise.sizes import Sizes, default_sizes, whole_sizes

OFFSETS = (3, 1, 5, 2, 7, 4)  # different ones, so that no two sizes stay alike


@dataclass(frozen=True)
class Described:
    """What goes in and what comes out, a line each."""

    inputs: tuple[str, ...]
    result: tuple[str, ...]


def described(experiment: Experiment, package: str) -> Described | None:
    """The first problem's input and result in words, found by making two small ones; None if nobody can answer."""
    problem = experiment.problems[0]
    cases = [(sizes, _case(experiment, problem, sizes)) for sizes in _various_sizes(problem)]
    questions = [(sizes, question) for sizes, case in cases if (question := ask(experiment, case, package))]
    if not questions:
        return None
    sizes = [s for s, _ in questions]

    def words(values: Sequence[object]) -> str:
        return in_words(values, lambda lengths: _dimension(lengths, sizes))

    first = questions[0][1]
    return Described(
        tuple(words([q.inputs[i] for _, q in questions]) for i in range(len(first.inputs))),
        _of_result([q.answer.result for _, q in questions], words),
    )


def in_words(values: Sequence[object], dimension: Callable[[Sequence[int]], str]) -> str:
    """The same value of two inputs: what it is, with its shape."""
    first = values[0]
    if isinstance(first, (np.ndarray, np.generic)) and not isinstance(first, np.bool_):
        shapes = [np.asarray(value).shape for value in values]
        if not shapes[0]:
            return f"{first.dtype.name} number"
        if len({len(shape) for shape in shapes}) > 1:
            return f"{first.dtype.name} array"
        parts = [dimension(lengths) for lengths in zip(*shapes, strict=True)]
        return f"{first.dtype.name} array ({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    if isinstance(first, (bool, int, float, str, np.bool_)):
        return f"{type(first).__name__}, such as {first!r}"
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return f"{type(first).__name__}({', '.join(first._fields)})"
    if isinstance(first, (tuple, list)):
        what = in_words([first[0]], str) if first else "nothing"
        return f"{type(first).__name__} of {len(first)}, each {what}"
    if callable(first):
        return f"a function: {_first_line(first)}" if _first_line(first) else "a function"
    return type(first).__name__


def _of_result(results: Sequence[object], words: Callable[[Sequence[object]], str]) -> tuple[str, ...]:
    first = results[0]
    if isinstance(first, tuple):
        return tuple(words([result[i] for result in results]) for i in range(len(first)))  # type: ignore[index]
    return (words(results),)


def _dimension(lengths: Sequence[int], sizes: Sequence[Sizes]) -> str:
    """The name of the size that a length always is; the length itself where it never changes; else a question mark."""
    for name in sizes[0]:
        if len(sizes) > 1 and all(length == of[name] for length, of in zip(lengths, sizes, strict=True)):
            return name
    return str(lengths[0]) if len(set(lengths)) == 1 and len(sizes) > 1 else "?"


def _various_sizes(problem: Problem) -> list[Sizes]:
    """The small sizes, all of them a little larger in different ways, and each of them doubled."""
    small = default_sizes(problem) | dict(problem.small)
    names = whole_sizes(problem)
    other = {name: small[name] + OFFSETS[i % len(OFFSETS)] for i, name in enumerate(names)}
    return [small, small | other, *(small | {name: 2 * small[name]} for name in names)]


def _case(experiment: Experiment, problem: Problem, sizes: Sizes) -> Case:
    return Case(problem.name, sizes, (problem.dtypes or experiment.dtypes)[0])


def _first_line(function: object) -> str:
    return (getattr(function, "__doc__", None) or "").strip().partition("\n")[0].rstrip(".")
