"""Somebody to be examined in this process, and two experiments to examine him on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import toys

from exp_core import Experiment, Problem
from exp_core.practise.examiner import Examiner
from exp_core.practise.fault import Given
from exp_core.timing import Deadline


@dataclass
class Asked:
    """A function that is asked here."""

    experiment: Experiment
    function: object
    dtypes: tuple[str, ...] = ()
    quick: bool = True

    def answer(self, case):
        try:
            return Given(self.function(*case.inputs(self.experiment)))
        except ArithmeticError as error:
            return Given(failure=str(error))


def vector(n: Annotated[int, "length"] = 300, *, dtype, rng):
    """A normal vector."""
    return (rng.standard_normal(n).astype(dtype),)


def table(rows: Annotated[int, "rows"] = 40, cols: Annotated[int, "columns"] = 30, *, dtype, rng):
    """A normal table."""
    if cols > rows:
        raise ValueError("it must not be wide")
    return (rng.standard_normal((rows, cols)).astype(dtype),)


def huge(n: Annotated[int, "length"] = 300, *, dtype, rng):
    """Numbers whose squares overflow."""
    return (np.full(n, np.sqrt(np.finfo(dtype).max) * 2, dtype),)


def doubling(*problems, unstable=()):
    """Double an array."""
    own = toys.make(toys.doubled), toys.make(toys.library, "library", unstable=dict.fromkeys(unstable, "it overflows"))
    return replace(toys.EXPERIMENT, problems=problems, implementations=own)


ONE = doubling(Problem(vector, small={"n": 60}, awkward=({"n": 1}, {"n": 67})))
TWO = doubling(Problem(table, small={"rows": 20, "cols": 12}, awkward=({"rows": 31, "cols": 17},)))
HARD = doubling(Problem(vector, small={"n": 20}), Problem(huge, kind="hard", small={"n": 20}), unstable=("huge",))


def examined(experiment, function, budget_s=20.0):
    """What an examiner finds."""
    return Examiner(experiment, "toys", Asked(experiment, function), Deadline(budget_s)).examine()
