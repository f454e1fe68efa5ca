"""Who can be examined: a function in its own process, and a kernel on an emulated GPU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exp_core.case import Case
from exp_core.contestants import Contestant
from exp_core.experiment import Experiment
from exp_core.nests import as_numpy
from exp_core.practise.fault import Ending, Given
from exp_core.user import Assignment, TookTooLong, UserFunction, UserFunctionError
from exp_core.wire import told

IMPORT_S = 20.0  # to start Python and import a file


@dataclass
class OwnFunction:
    """A user's function, asked case after case in one process; a fresh one where that has died."""

    user: UserFunction
    assignment: Assignment
    dtypes: tuple[str, ...] = ()
    quick: bool = True

    def answer(self, case: Case) -> Given:
        """Its result, or what became of it."""
        try:
            self.begin()
            self.user.take(case)
            result, _ = self.user.first()
        except UserFunctionError as error:
            ending: Ending = "stopped" if isinstance(error, TookTooLong) else ""
            process = self.user.process
            if process is None or process.poll() is not None:
                ending = ending or "died"
                self.user.stop()
            return Given(failure=str(error), ending=ending, printed=str(self.user.printed))
        return Given(result, is_view=self.user.is_view, printed=str(self.user.printed))

    def begin(self) -> None:
        """Have a process that has imported the file.  Raises UserFunctionError."""
        if self.user.process is None:
            try:
                self.user.start(self.assignment, IMPORT_S + self.user.call_limit_s)
            except UserFunctionError:
                self.user.stop()  # a process that has not imported the file is of no use
                raise


@dataclass
class OwnKernel:
    """A user's kernel, on an emulated GPU."""

    experiment: Experiment
    contestant: Contestant
    quick: bool = False

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Those of the kernel that it stands in for."""
        return self.contestant.implementation.dtypes

    def answer(self, case: Case) -> Given:
        """Its result, or the emulator's diagnosis with the lines that it speaks of."""
        inputs = case.inputs(self.experiment)
        try:
            with np.errstate(all="ignore"):
                result = as_numpy(self.contestant.ready(inputs)())
        except Exception as error:
            return Given(failure=told(error))
        return Given(result)
