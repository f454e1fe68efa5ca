"""A contestant: something that can be called so many times while the clock runs."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import repeat
from types import FunctionType
from typing import Generic, Protocol, TypeVarTuple, cast, runtime_checkable

from exp_core.timing.clock import SYSTEM, Clock
from exp_core.timing.overhead import NOTHING, overhead

Inputs = TypeVarTuple("Inputs")
Loop = Callable[[Callable[..., object], tuple[object, ...], Callable[[], float], int], float]


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
        self._overhead = overhead() if clock is SYSTEM else NOTHING
        self._loop = _own(_LOOPS.get(len(inputs), _many))

    def sample(self, calls: int) -> float:
        """Seconds for that many calls, with the garbage collector off; what the loop itself costs is taken off."""
        with collector_off():
            seconds = self._loop(self._function, self._inputs, self._clock.now, calls)
        return self._overhead.net(seconds, calls)


def sample(function: Callable[[*Inputs], object], calls: int, *inputs: *Inputs) -> float:
    """Seconds that so many calls take together, with the garbage collector off: what a Sampler elsewhere may return."""
    return FunctionSampler(function, inputs).sample(calls)


def checked(seconds: float) -> float:
    """Seconds as a sampler returned them.  Raises ValueError if they cannot be a duration."""
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"a sample of {seconds} seconds is not a duration")
    return seconds


# The loop as a user would write it: unpacking the inputs afresh for every call would cost as much as a short function.


def _none(function: Callable[..., object], inputs: tuple[object, ...], now: Callable[[], float], calls: int) -> float:
    started = now()
    for _ in repeat(None, calls):
        function()
    return now() - started


def _one(function: Callable[..., object], inputs: tuple[object, ...], now: Callable[[], float], calls: int) -> float:
    (x,) = inputs
    started = now()
    for _ in repeat(None, calls):
        function(x)
    return now() - started


def _two(function: Callable[..., object], inputs: tuple[object, ...], now: Callable[[], float], calls: int) -> float:
    x, y = inputs
    started = now()
    for _ in repeat(None, calls):
        function(x, y)
    return now() - started


def _many(function: Callable[..., object], inputs: tuple[object, ...], now: Callable[[], float], calls: int) -> float:
    started = now()
    for _ in repeat(None, calls):
        function(*inputs)
    return now() - started


_LOOPS: dict[int, Loop] = {0: _none, 1: _one, 2: _two}


def _own(loop: Loop) -> Loop:
    """A copy of the loop for one contestant alone.

    The interpreter adapts a loop's bytecode to what is called in it (PEP 659).  In a shared one, contestants of another
    kind (a Python function, a built-in one) would keep undoing that for each other, at some 10 ns a call.
    """
    function = cast("FunctionType", loop)
    return cast("Loop", FunctionType(function.__code__.replace(), function.__globals__))


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
