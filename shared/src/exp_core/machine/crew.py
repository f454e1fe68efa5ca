"""A few threads that do the same thing at the same time, and how fast they do it together."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Barrier
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from exp_core.affinity import processors
from exp_core.timing import Stopwatch

BLOCK_S = 0.002  # one measurement: long against the scatter of the threads' starts (some 0.1 ms)
TOGETHER = 1.1  # times the rate that all kept up between the first start and the last end: beyond it they took turns

Made = TypeVar("Made")
Task = Callable[[int], object]  # does its unit of work so many times, without holding the interpreter's lock


@dataclass(frozen=True, slots=True)
class Way:
    """One way to move the bytes of a working set: ``kernel(x, repeats)`` on a vector x of doubles.

    parts: equal vectors that it cuts x into.     moved: how often one of these parts is read or written in a pass.
    past: it stores past the caches, which makes sense only where they do not hold what is stored.
    """

    kernel: Callable[[NDArray[np.float64], int], object]
    parts: int
    moved: int
    past: bool = False

    def bytes_of(self, elements: int) -> int:
        """That one pass over so many doubles moves."""
        return elements // self.parts * self.moved * 8


class Crew:
    """Threads that stay, so that each keeps its core.  Use it in a ``with`` block.

    Where there are as many as processors, each is told (on Linux) which one is its own: woken together, two were seen
    on one of them for as long as a measurement takes, every fourth time.  Fewer are left to the system, which knows
    which processors share a core.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        own = processors()
        self._own = own if len(own) == threads else []
        self._pool = ThreadPoolExecutor(threads, initializer=self._settle)
        self._start = Barrier(threads)

    def _settle(self) -> None:
        if self._own:
            with suppress(OSError):
                os.sched_setaffinity(0, {self._own.pop()})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._start.abort()  # an interruption may have left one of them waiting for the others
        self._pool.shutdown()

    def each(self, make: Callable[[], Made]) -> list[Made]:
        """One for each thread, made in that thread: memory lies nearest to the thread that touches it first."""

        def together() -> Made:
            self._start.wait()
            return make()

        return [future.result() for future in [self._pool.submit(together) for _ in range(self.threads)]]

    def rate(self, tasks: list[Task], repeats: int, margin: int | None = None) -> float:
        """Units of work a second, of all threads together.

        Each thread times the middle of what it does, by default the middle half: while it does, the others are at work
        too.  If one of them was held up, it was not so, and each had the memory and the caches for itself: then only
        what all did in the time from the first start to the last end counts.

        margin: repeats before and after what is timed.
        """
        margin = max(1, repeats // 2) if margin is None else margin
        watch = Stopwatch()

        def timed(task: Task) -> tuple[float, float]:
            self._start.wait()
            task(margin)
            start = watch.elapsed()
            task(repeats)
            end = watch.elapsed()
            task(margin)
            return start, end

        return rate_of_all(repeats, list(self._pool.map(timed, tasks)))

    def repeats(self, tasks: list[Task], guess: int = 1) -> int:
        """How often to repeat so that a measurement takes about BLOCK_S; the guess had better not be too high."""
        repeats = guess
        while True:
            rate = self.rate(tasks, repeats) / self.threads
            if rate * BLOCK_S <= 2 * repeats:
                return max(1, round(rate * BLOCK_S))
            repeats = min(round(rate * BLOCK_S), 10 * repeats)


def rate_of_all(repeats: int, spans: list[tuple[float, float]]) -> float:
    """Units of work a second of threads that each did so many, given when each began and ended, in seconds.

    The sum of their rates; but what they did between the first start and the last end where that is less by more than
    TOGETHER allows.  0.0 where the clock did not move.
    """
    shortest, longest = min(end - start for start, end in spans), max(end for _, end in spans) - min(spans)[0]
    if shortest <= 0:
        return 0.0
    each, together = sum(repeats / (end - start) for start, end in spans), len(spans) * repeats / longest
    return each if each <= TOGETHER * together else together
