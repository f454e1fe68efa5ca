"""The value that ties problems, laws and implementations together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING

from exp_core.experiment.implementation import Implementation
from exp_core.experiment.problem import Problem
from exp_core.experiment.words import ContractError, Inputs

if TYPE_CHECKING:
    from exp_core.training.plan import Training


@dataclass(frozen=True)
class Experiment:
    """One algorithm: its problems, the laws that a right answer obeys, and its implementations in teaching order.

    problems: the first one is the default.
    laws: named errors, ``law(result, *inputs) -> float``; with an oracle, ``law(result, *inputs, truth)``.  An error
        that is not a number (NaN) breaks the law.
    implementations: textbook first, each better than the one before it, the library last.
    oracle: ``oracle(*inputs)``: the answer in higher precision or by a certified method, computed once a ladder.
    picture: ``picture(figure, *inputs)``: draws what the algorithm does on a matplotlib figure.
    figures: further numbers of a result worth a column, ``figure(result, *inputs) -> float`` (evaluations, steps, ...).
        With an oracle, ``figure(result, *inputs, truth)``; one that is not a number (NaN) leaves its place empty.
    remarks: ``remarks(*inputs) -> sentences``: what there is to say about an input as a whole, below the table.
    dtypes: supported element types, the first one is the default.
    training: how it is trained for real (``exp_core.training``); None if there is nothing to train.
    """

    _: KW_ONLY
    problems: tuple[Problem, ...]
    laws: Mapping[str, Callable[..., float]]
    implementations: tuple[Implementation, ...]
    picture: Callable[..., None]
    oracle: Callable[..., object] | None = None
    figures: Mapping[str, Callable[..., float]] = field(default_factory=dict)
    remarks: Callable[..., Iterable[str]] | None = None
    dtypes: tuple[str, ...] = ("float64", "float32")
    training: Training | None = None

    def __post_init__(self) -> None:
        if not (self.problems and self.laws and self.implementations and self.dtypes):
            raise ContractError("an experiment needs at least one problem, law, implementation and dtype")
        for what, names in (
            ("problems", [problem.name for problem in self.problems]),
            ("implementations", [implementation.name for implementation in self.implementations]),
        ):
            if twice := {name for name in names if names.count(name) > 1}:
                raise ContractError(f"two {what} are called {', '.join(sorted(twice))}")
        problems = {problem.name for problem in self.problems}
        for implementation in self.implementations:
            if isinstance(implementation.bound, Mapping):
                if set(implementation.bound) != set(self.laws):
                    raise ContractError(
                        f"{implementation.name}: its bounds must be for the laws {', '.join(self.laws)}"
                    )
            elif len(self.laws) > 1:
                raise ContractError(f"{implementation.name}: with several laws, bound maps each law to its bound")
            if unknown := set(implementation.unstable) - problems:
                raise ContractError(f"{implementation.name}: unstable on an unknown problem {', '.join(unknown)}")

    def problem(self, name: str) -> Problem:
        """The problem of that name.  Raises KeyError."""
        return {problem.name: problem for problem in self.problems}[name]

    def bounds(self, implementation: Implementation, inputs: Inputs) -> dict[str, float]:
        """The bound of each law for one implementation on these inputs."""
        bound = implementation.bound
        each = bound if isinstance(bound, Mapping) else dict.fromkeys(self.laws, bound)
        return {law: float(each[law](*inputs)) for law in self.laws}

    def widest_bounds(self, problem: str, inputs: Inputs) -> dict[str, float]:
        """What a stranger's result must stay under: for each law the widest bound of those that theory trusts here."""
        steady = [i for i in self.implementations if problem not in i.unstable] or self.implementations
        each = [self.bounds(implementation, inputs) for implementation in steady]
        return {law: max(bounds[law] for bounds in each) for law in self.laws}

    def errors(self, result: object, inputs: Inputs, truth: object = None) -> dict[str, float]:
        """The error of a result by each law; ``truth`` is the oracle's answer."""
        arguments = inputs if self.oracle is None else (*inputs, truth)
        return {name: float(law(result, *arguments)) for name, law in self.laws.items()}
