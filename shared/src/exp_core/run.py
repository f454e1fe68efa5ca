"""One run of a ladder while it goes on: what was asked for, and what is known so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from exp_core.contestants import Call
from exp_core.experiment import Inputs
from exp_core.forms import Form
from exp_core.limits import Work
from exp_core.machine import Limits, Rate
from exp_core.prediction import Prediction
from exp_core.request import Request
from exp_core.results import label
from exp_core.row import Row
from exp_core.spending import Spending
from exp_core.timing import Comparison
from exp_core.trials import LONGEST_TRIAL_S, Trials
from exp_core.user import UserFunction

NOT_YET = "interrupted before its turn"

Progress = Callable[[str, float | None], None]


@dataclass
class Run:
    """A ladder in progress: the rows so far, and what is needed to finish them."""

    request: Request
    progress: Progress
    rows: dict[str, Row] = field(default_factory=dict)
    racers: dict[str, Call | UserFunction] = field(default_factory=dict)
    predictions: dict[str, Prediction] = field(default_factory=dict)
    laws_s: float | None = None
    comparison: Comparison | None = None
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    limits: Limits | None = None
    works: dict[str, Work] = field(default_factory=dict)
    demands: dict[str, Mapping[Rate, float]] = field(default_factory=dict)
    forms: set[Form] = field(default_factory=set)
    views: bool = False
    input_sum: int | None = None

    def __post_init__(self) -> None:
        self.spending = Spending(self.request.budget_s)
        for contestant in self.request.contestants:
            self.rows[contestant.key] = Row(
                contestant.name,
                contestant.rung,
                title=contestant.implementation.title or ("your own" if contestant.yours else ""),
                device=contestant.device,
                threads=self.request.threads_of(contestant),
                reason=NOT_YET,
                emulated=contestant.emulated,
            )
        if user := self.request.user:
            self.rows[user.key] = Row(user.key, "yours", title="your own", threads=self.request.threads, reason=NOT_YET)

    @cached_property
    def inputs(self) -> Inputs:
        """The input, made once and shared."""
        return self.request.inputs()

    @cached_property
    def truth(self) -> object:
        """The oracle's answer."""
        oracle = self.request.experiment.oracle
        with self.spending.spent_on("the reference answer"):
            return None if oracle is None else oracle(*self.inputs)

    def waiting(self, doing: str, done: float | None) -> None:
        """Say what the first run waits for, and mostly no later one."""
        self.progress(doing, done)

    @cached_property
    def trials(self) -> Trials:
        """The same problem at smaller sizes; all that is tried with them takes about as long as the budget at most."""
        request = self.request
        longest_s = min(LONGEST_TRIAL_S, request.budget_s / (2 * max(len(request.contestants), 1)))
        return Trials(request.inputs, request.sizes, longest_s, request.problem.thinned, request.problem.fixed)

    def amend(self, key: str, **changes: object) -> None:
        """Replace a row by one that knows more."""
        self.rows[key] = replace(self.rows[key], **changes)  # type: ignore[arg-type]

    def label(self, key: str) -> str:
        """How a row is called below the table."""
        return label(self.rows[key], self.rows.values())

    def timed(self, part: float) -> None:
        """Say how much of the race is over."""
        self.progress("timing", 0.5 + 0.5 * part)
