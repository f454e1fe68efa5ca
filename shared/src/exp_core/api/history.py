"""What was measured before, as a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

from exp_core.api.spelled import reasons_spelled
from exp_core.history import HistoryError, Run, to_read
from exp_core.history.filter import Filter
from exp_core.history.queries import every, measurements
from exp_core.history.series import Series, series
from exp_core.refusal import Refused

LINES = 10  # of each table that is printed: the newest runs


@dataclass(frozen=True, repr=False)
class History(Sequence[Run]):
    """The stored runs of an experiment, the oldest first: ``history[-1].result`` is the newest Result.

    series: each implementation over time under one configuration, with the steps that its ratio to the library took.
    """

    experiment: str
    runs: tuple[Run, ...]
    series: tuple[Series, ...]

    @overload
    def __getitem__(self, place: int) -> Run: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Run, ...]: ...

    def __getitem__(self, place: int | slice) -> Run | tuple[Run, ...]:
        return self.runs[place]

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    def __repr__(self) -> str:
        from exp_core.report.console import as_text
        from exp_core.report.history import print_history

        if not self.runs:
            return f"nothing is stored of {self.experiment} yet"
        return as_text(lambda out: print_history(self.series, LINES, out))


def read_history(command: str, packages: tuple[str, ...], experiment: str) -> History:
    """The history of one experiment.  Raises Refused where the database cannot be read."""
    asked = Filter(packages, experiment)
    try:
        with to_read() as database:
            runs = (replace(run, result=reasons_spelled(run.result, command)) for run in every(database, asked))
            return History(experiment, tuple(runs), tuple(series(measurements(database, asked))))
    except (HistoryError, ValueError) as error:
        raise Refused(str(error)) from error
