"""What a ladder spends before anybody is timed: the input, the reference answer, trials, checks.

The race has the budget for itself, and what comes before it has as much again.  Forecasts keep to that; this is what
holds where they were wrong.  Starting up is nobody's fault: what is compiled or imported this once does not count, as
far as it is seen, and where it is not, ``START_UP_S`` are for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from exp_core.compiled import compiling_s
from exp_core.experiment import Skip
from exp_core.timing import Stopwatch, seconds_text

CALLS = 4  # calls that a contestant costs at least: the check, and three rounds of timing
START_UP_S = 4.0  # libraries that are loaded: scikit-learn, Numba and MLX together take three


class Spending:
    """Seconds since it was made, by what they were spent on."""

    def __init__(self, budget_s: float) -> None:
        self.budget_s = budget_s
        self.watch = Stopwatch()
        self.compiled_s = compiling_s()
        self.free_s = 0.0
        self.loaded_s = 0.0
        self.on: dict[str, float] = {}

    @contextmanager
    def spent_on(self, what: str) -> Iterator[None]:
        """What is inside is spent on that."""
        watch, compiled = Stopwatch(), compiling_s()
        try:
            yield
        finally:
            self.on[what] = self.on.get(what, 0.0) + watch.elapsed() - (compiling_s() - compiled)

    @contextmanager
    def free(self) -> Iterator[None]:
        """What is inside counts for nothing."""
        watch, compiled = Stopwatch(), compiling_s()
        try:
            yield
        finally:
            self.free_s += watch.elapsed() - (compiling_s() - compiled)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """What is inside takes its time from the race first, half of it at most."""
        try:
            with self.spent_on("loading"):
                yield
        finally:
            self.loaded_s = min(self.on["loading"], self.budget_s / 2)
            self.free_s += self.loaded_s

    def starting(self, seconds: float, compiled_before_s: float) -> None:
        """So much of what was spent was for loading and compiling, and counts for nothing; what compiled is known."""
        self.free_s += max(seconds - (compiling_s() - compiled_before_s), 0.0)

    @property
    def seconds(self) -> float:
        """What was spent so far, without what was compiled and what is free."""
        return self.watch.elapsed() - (compiling_s() - self.compiled_s) - self.free_s

    def left(self, need_s: float = 0.0) -> bool:
        """Whether there is time left for as much."""
        return self.seconds + need_s <= self.budget_s + START_UP_S

    def race_s(self) -> float:
        """What is left for the race: the budget, less what was spent above the other one, and half of it at least."""
        above = max(self.seconds - START_UP_S - self.budget_s, 0.0)
        return self.budget_s - min(self.loaded_s + above, self.budget_s / 2)

    def skip(self, need_s: float = 0.0) -> Skip:
        """Why there is no time left, and what would make some."""
        largest = sorted(self.on.items(), key=lambda item: -item[1])[:3]
        words = ", ".join(f"{what} {seconds_text(seconds)}" for what, seconds in largest if seconds > 0)
        ahead = f", and it would need some {seconds_text(need_s)}" if need_s else ""
        enough = math.ceil(max(2 * self.budget_s, self.seconds + need_s))
        return Skip(
            f"the time before the race was spent before its turn ({words}){ahead}",
            f"--budget {enough} or smaller sizes would admit it",
        )
