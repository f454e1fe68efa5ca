"""The only module of the project that reads a clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Protocol, TypeVar, TypeVarTuple

from exp_core.timing import foreign

Result = TypeVar("Result")
Inputs = TypeVarTuple("Inputs")


class Clock(Protocol):
    """What a race needs to know about time.  Tests pass one that they move by hand."""

    def now(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def busy(self) -> float:
        """CPU seconds that all threads of this process have spent so far."""

    def others(self) -> float | None:
        """CPU seconds that other processes have spent so far on our cores; None where nobody knows."""

    def sleep(self, seconds: float) -> None:
        """Let at least so many seconds pass."""


class SystemClock:
    """The operating system's monotonic clock: it does not jump when somebody sets the time (PEP 418)."""

    now = staticmethod(time.perf_counter)
    busy = staticmethod(time.process_time)  # all threads of the process
    others = staticmethod(foreign.others)
    sleep = staticmethod(time.sleep)


SYSTEM = SystemClock()


def epoch() -> float:
    """Seconds since 1970-01-01 UTC: for the date of a stored result, never for a duration (this clock can jump)."""
    return time.time()


def tick(clock: Clock = SYSTEM, readings: int = 200) -> float:
    """The shortest time, in seconds, that two readings of the clock can tell apart: its resolution and its own cost.

    It is the smallest step seen that is not zero; 0.0 if the clock never moved.
    """
    times = [clock.now() for _ in range(readings)]
    return min((later - earlier for earlier, later in pairwise(times) if later > earlier), default=0.0)


def call_once(function: Callable[[*Inputs], Result], *inputs: *Inputs) -> tuple[Result, float]:
    """Call a function and return its result and the seconds that the call took, compilation and all."""
    started = SYSTEM.now()
    result = function(*inputs)
    return result, SYSTEM.now() - started


class Stopwatch:
    """Runs from the moment it is made."""

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        self._started = clock.now()

    def elapsed(self) -> float:
        """Seconds since it was made."""
        return self._clock.now() - self._started


class Deadline(Stopwatch):
    """A budget of seconds that runs from the moment it is made: ``while deadline.left(): ...``."""

    def __init__(self, budget_s: float, clock: Clock = SYSTEM) -> None:
        super().__init__(clock)
        self.budget_s = budget_s

    def left(self) -> float:
        """Seconds that remain; 0.0, never less, when there are none."""
        return max(0.0, self.budget_s - self.elapsed())
