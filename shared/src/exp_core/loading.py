"""Loading: what an input needs whatever its size, and what takes its time this once, before anything is foretold.

It may take longer than the input itself, since a later run starts at once: as long as the budget, and half of what the
race has.  Once it tells how far it is, it is foretold how long it will take; what does not end in time is not waited
for.
"""

from __future__ import annotations

import math

from exp_core.refusal import Refused
from exp_core.run import Run
from exp_core.spending import Spending
from exp_core.timing import seconds_text
from exp_core.waiting import told_of_waiting
from exp_core.wire import first_sentence

MOST = 1.5  # budgets that it may take
SPARE = 1.25  # times the seconds that are foretold, to be sure of


class Patience:
    """Hears how far a loading is, and stops one that would take too long.

    Until it has told so twice it was starting up.  How fast it is says its quickest stretch: a busy moment is no law.
    """

    def __init__(self, spending: Spending) -> None:
        self.spending = spending
        self.told: list[tuple[float, float]] = []  # done, seconds
        self.quickest = 0.0  # seconds that all of it takes at its quickest

    def hear(self, doing: str, done: float | None) -> None:
        """Raise Refused if the rest would take too long."""
        if done is None:
            return
        self.told.append((done, self.spending.seconds))
        if len(self.told) < 3:
            return
        (_, begun), (before, then), (_, now) = self.told[1], *self.told[-2:]
        if done > before:
            pace = (now - then) / (done - before)
            self.quickest = min(self.quickest or pace, pace)
        need = now - begun + (1 - done) * self.quickest
        if need > MOST * self.spending.budget_s:
            raise Refused(
                f"no time for {doing}: it would take some {seconds_text(need)}; "
                f"choose smaller sizes, or --budget {math.ceil(SPARE * need / MOST)}"
            )


def load(run: Run) -> None:
    """Load what the problem needs.  Raises Refused if it does not allow such sizes, or if that would take too long."""
    request = run.request
    with run.spending.loading(), told_of_waiting(Patience(run.spending).hear):
        try:
            request.load()
        except Refused:
            raise
        except ValueError as error:
            raise Refused(f"{request.problem.name}: {first_sentence(error)}") from error
