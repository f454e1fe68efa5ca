"""What is wrong with an answer: half a sentence, the laws it breaks, and what it looks like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exp_core.case import Case
from exp_core.experiment import Experiment
from exp_core.forms import Form, difference
from exp_core.ladder import VIEW, first_sentence
from exp_core.practise.likeness import leaves, likenesses
from exp_core.practise.question import Question
from exp_core.results import Check

SHOWN = 16  # numbers that are still read at a glance


@dataclass(frozen=True)
class Fault:
    """An answer that is wrong.

    excuse: the names of our own that may fail on this problem too, each with the reason.
    shown: the input, the answer and a right one, as far as they are small enough to be read.
    """

    case: Case
    sentence: str
    checks: tuple[Check, ...] = ()
    likenesses: tuple[str, ...] = ()
    shown: tuple[tuple[str, str], ...] = ()
    excuse: tuple[tuple[str, str], ...] = ()
    printed: str = ""
    stopped: bool = False

    @property
    def broken(self) -> tuple[Check, ...]:
        """The laws that do not hold."""
        return tuple(check for check in self.checks if not check.holds)


@dataclass(frozen=True)
class Given:
    """What came back from whoever is examined: a result, or a sentence about why there is none."""

    result: object = None
    failure: str = ""
    is_view: bool = False
    stopped: bool = False
    printed: str = ""


def judge(experiment: Experiment, question: Question, given: Given, names: tuple[str, ...]) -> Fault | None:
    """The fault of an answer; None if it is right."""
    case, excuse = question.case, tuple(question.excuse.items())
    if given.failure:
        return Fault(
            case,
            given.failure,
            excuse=() if given.stopped else excuse,
            stopped=given.stopped,
            printed=given.printed,
            shown=_shown_inputs(question, names),
        )
    shown = _shown(question, given, names)
    if odd := difference(Form.of(given.result), question.form):
        return Fault(case, odd, shown=shown, printed=given.printed)
    if given.is_view and not any(answer.is_view for answer in question.answers):
        return Fault(case, VIEW, shown=shown, printed=given.printed)
    try:
        with np.errstate(all="ignore"):
            errors = experiment.errors(given.result, question.inputs, question.truth)
    except Exception as error:  # what no law can measure breaks them all
        return Fault(case, f"its result cannot be judged: {first_sentence(error)}", shown=shown, printed=given.printed)
    checks = tuple(Check(law, errors[law], question.bounds[law]) for law in errors)
    if all(check.holds for check in checks):
        return None
    broken = " and ".join(check.law for check in checks if not check.holds)
    with np.errstate(all="ignore"):
        like = tuple(likenesses(given.result, question.answers, question.inputs))
    return Fault(case, f"it breaks {broken}", checks, like, shown, excuse, given.printed)


def _shown(question: Question, given: Given, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The input, the answer and a right one, where there are few numbers."""
    answer = question.answers[0]
    rows = [*_shown_inputs(question, names)]
    if sum(leaf.size for leaf in leaves(given.result)) <= SHOWN:
        rows.append(("yours", written(given.result)))
        if sum(leaf.size for leaf in leaves(answer.result)) <= SHOWN:
            rows.append((answer.name, written(answer.result)))
    return tuple(rows)


def _shown_inputs(question: Question, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    if sum(np.size(value) for value in question.inputs if isinstance(value, np.ndarray)) > SHOWN:
        return ()
    plain = [isinstance(value, (np.ndarray, int, float, str)) for value in question.inputs]
    return tuple((n, written(v)) for n, v, is_plain in zip(names, question.inputs, plain, strict=True) if is_plain)


def written(value: object) -> str:
    """A value on one line, with so many digits as are read."""
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(written, value))})"
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.name == "bfloat16":
            array = array.astype(np.float32)
        return " ".join(np.array2string(array, precision=6, separator=", ", max_line_width=10_000).split())
    return str(value)
