"""A contestant: something that can be called so many times while the clock runs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Generic, Protocol, TypeVarTuple, runtime_checkable

from exp_core.timing.clock import SYSTEM, Clock

Inputs = TypeVarTuple("Inputs")


@runtime_checkable
class Sampler(Protocol):
    """A contestant that reads the clock itself, because it lives in another process or on another device."""

    def sample(self, calls: int) -> float:
        """Do the work ``calls`` times and return the seconds that they took together.

        A lazy result must be forced, and a device waited for, before the clock is stopped.
        """


class FunctionSampler(Generic[*Inputs]):
    """A function and its inputs.  Each result is dropped at once, so that freeing it is part of the work."""

    def __init__(self, function: Callable[[*Inputs], object], inputs: tuple[*Inputs], clock: Clock = SYSTEM) -> None:
        self._function = function
        self._inputs = inputs
        self._clock = clock

    def sample(self, calls: int) -> float:
        """Seconds for that many calls, with the garbage collector off; the loop adds some 20 ns a call."""
        function, inputs, now = self._function, self._inputs, self._clock.now
        with collector_off():
            started = now()
            for _ in repeat(None, calls):
                function(*inputs)
            return now() - started


def sample(function: Callable[[*Inputs], object], calls: int, *inputs: *Inputs) -> float:
    """Seconds that so many calls take together, with the garbage collector off: what a Sampler elsewhere may return."""
    return FunctionSampler(function, inputs).sample(calls)


@contextmanager
def collector_off() -> Iterator[None]:
    """No garbage collection in this block: it would be charged to whoever happens to allocate next, not to its cause.

    Afterwards the collector is as it was, whatever happened.  Source: timeit does the same.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
