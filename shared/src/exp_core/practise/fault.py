"""What is wrong with an answer: half a sentence, the laws it breaks, and what it looks like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from exp_core.case import Case
from exp_core.checking import VIEW
from exp_core.experiment import Experiment
from exp_core.forms import Form, difference
from exp_core.practise.likeness import leaves, likenesses
from exp_core.practise.question import Question
from exp_core.row import Check
from exp_core.tensor import UNIT_ROUNDOFF
from exp_core.wire import first_sentence

Ending = Literal["", "died", "stopped"]  # of the process: by itself, or by us since it took too long
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
    ending: Ending = ""

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
    ending: Ending = ""
    printed: str = ""


def judge(experiment: Experiment, question: Question, given: Given, names: tuple[str, ...]) -> Fault | None:
    """The fault of an answer; None if it is right."""
    case, excuse = question.case, tuple(question.excuse.items())
    if given.failure:
        return Fault(
            case,
            given.failure,
            shown=_shown_inputs(question, names),
            excuse=() if given.ending else excuse,
            printed=given.printed,
            ending=given.ending,
        )
    shown = _shown(question, given, names)
    if odd := difference(Form.of(given.result), question.form):
        return Fault(case, odd, shown=shown, printed=given.printed)
    if given.is_view and not question.answer.is_view:
        return Fault(case, VIEW, shown=shown, printed=given.printed)
    try:
        with np.errstate(all="ignore"):
            errors = experiment.errors(given.result, question.inputs, question.truth)
    except Exception as error:  # what no law can measure breaks them all
        return Fault(case, f"its result cannot be judged: {first_sentence(error)}", shown=shown, printed=given.printed)
    checks = tuple(Check(law, errors[law], question.bounds[law]) for law in errors)
    broken = [check.law for check in checks if not check.holds]
    if not broken:
        return None
    with np.errstate(all="ignore"):
        like = likenesses(given.result, question.answer, question.others) or [
            *mended(experiment, question, given.result)
        ]
        like = like or single_precision(case, checks)
    return Fault(case, f"it breaks {' and '.join(broken)}", checks, tuple(like), shown, excuse, given.printed)


def mended(experiment: Experiment, question: Question, result: object) -> Iterator[str]:
    """What would make it right, out of a few things: for results of which there is more than one right one."""
    several = isinstance(result, tuple)
    for number, part in enumerate(result if isinstance(result, tuple) else (result,)):
        if not isinstance(part, np.ndarray) or part.dtype.kind not in "fc":
            continue
        tries = [("the opposite sign", -part)]
        if part.ndim == 2 and part.shape[0] == part.shape[1]:
            tries.append(("its rows and columns exchanged", part.T))
        for what, other in tries:
            changed = (*result[:number], other, *result[number + 1 :]) if isinstance(result, tuple) else other
            errors = experiment.errors(changed, question.inputs, question.truth)
            if all(errors[law] <= question.bounds[law] for law in errors):
                yield f"with {what}{f' in part {number + 1} of the result' if several else ''} it would be right"


def single_precision(case: Case, checks: tuple[Check, ...]) -> list[str]:
    """Whether an error in double precision is one of float32."""
    single = UNIT_ROUNDOFF["float32"]
    if case.dtype not in ("float64", "complex128"):
        return []
    if all(check.holds or single / 64 < check.error < 64 * single for check in checks):
        return ["the error is as large as float32's rounding: is something computed, or stored, in float32?"]
    return []


def _shown(question: Question, given: Given, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The input, the answer and a right one, where there are few numbers."""
    answer = question.answer
    rows = [*_shown_inputs(question, names)]
    if any(leaf.size <= SHOWN for leaf in leaves(given.result)):
        rows += [("yours", written(given.result)), (answer.name, written(answer.result))]
    return tuple(rows)


def _shown_inputs(question: Question, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    plain = [isinstance(value, (np.ndarray, int, float, str)) for value in question.inputs]
    return tuple((n, written(v)) for n, v, is_plain in zip(names, question.inputs, plain, strict=True) if is_plain)


def written(value: object) -> str:
    """A value on one line, with so many digits as are read; of a large array what it is."""
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(written, value))})"
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.size > SHOWN:
            return str(Form.of(array))
        if array.dtype.name == "bfloat16":
            array = array.astype(np.float32)
        return " ".join(np.array2string(array, precision=6, separator=", ", max_line_width=10_000).split())
    return str(value)
