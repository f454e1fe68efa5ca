"""A question: an input, and what a right answer to it must hold; only what one of our own can answer is asked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from exp_core.case import Case
from exp_core.contestants import Contestant
from exp_core.experiment import Experiment, Implementation, Inputs
from exp_core.forms import Form, same_memory
from exp_core.installed import missing_modules
from exp_core.nests import arrays_in, as_numpy

RUNGS = ("vectorised", "library", "textbook")  # who answers for us: the quick ones that nothing has to be compiled for


@dataclass(frozen=True)
class Answer:
    """A right answer, and who gave it."""

    name: str
    result: object
    is_view: bool


@dataclass(frozen=True)
class Question:
    """A case with its input, the oracle's answer, the bound of each law, and a right answer.

    others: more of them, made when they are asked for.
    excuse: why theory lets some of our own fail on this problem, by their names; empty if it lets none.
    """

    case: Case
    inputs: Inputs
    truth: object
    bounds: Mapping[str, float]
    answer: Answer
    others: Iterator[Answer]
    excuse: Mapping[str, str]

    @property
    def form(self) -> Form:
        """The form that a result has."""
        return Form.of(self.answer.result)


def ask(experiment: Experiment, case: Case, package: str) -> Question | None:
    """The question that a case puts; None where it puts none: sizes that do not go together, no finite bound, nobody
    of ours who could answer.
    """
    problem = experiment.problem(case.problem)
    try:
        with np.errstate(all="ignore"):
            inputs = case.inputs(experiment)
            truth = experiment.oracle(*inputs) if experiment.oracle else None
            answers = _right_answers(experiment, case, inputs, truth, package)
            answer = next(answers, None)
            if answer is None:
                return None
            bounds = experiment.widest_bounds(case.problem, inputs)
    except (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError):
        return None
    if not all(map(math.isfinite, bounds.values())):
        return None
    excuse = {i.name: i.unstable[problem.name] for i in experiment.implementations if problem.name in i.unstable}
    return Question(case, inputs, truth, bounds, answer, answers, excuse)


def _right_answers(experiment: Experiment, case: Case, inputs: Inputs, truth: object, package: str) -> Iterator[Answer]:
    """What our own say, the right ones."""
    for implementation in candidates(experiment, case.problem):
        if case.dtype not in (implementation.dtypes or experiment.dtypes):
            continue
        if missing_modules(package, implementation.modules):
            continue
        contestant = Contestant(implementation)
        if contestant.unsuited(inputs):
            continue
        try:
            returned = contestant.ready(inputs)()
            result = as_numpy(returned)
            errors = experiment.errors(result, inputs, truth)
        except Exception:  # whoever fails here has his own tests; another one answers
            continue
        bounds = experiment.bounds(implementation, inputs)
        if all(errors[law] <= bounds[law] for law in errors):
            yield Answer(implementation.name, result, same_memory(returned, arrays_in(inputs)))


def candidates(experiment: Experiment, problem: str) -> list[Implementation]:
    """Who may answer for us on a problem, the quickest kinds first."""
    plain = [i for i in experiment.implementations if i.rung in RUNGS and not i.devices and i.arrays != "dask"]
    steady = [i for i in plain if problem not in i.unstable] or plain
    return sorted(steady, key=lambda i: RUNGS.index(i.rung))
