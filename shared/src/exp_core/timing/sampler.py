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
from exp_core.timing.lazy import forcing, mlx
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


@runtime_checkable
class Elsewhere(Sampler, Protocol):
    """A sampler whose work is not done in this process, but which knows what it costs there."""

    def busy(self) -> float:
        """CPU seconds that all threads of the other process have spent in samples so far."""


class FunctionSampler(Generic[*Inputs]):
    """A function and its inputs.  Each result is dropped at once, so that freeing it is part of the work.

    The result of the very first call is looked at (``lazy``): MLX arrays are computed and waited for, then and in every
    later call.  A function that waits already may say with an attribute ``unforced`` how it is called without.
    """

    def __init__(self, function: Callable[[*Inputs], object], inputs: tuple[*Inputs], clock: Clock = SYSTEM) -> None:
        self._function: Callable[[*Inputs], object] = getattr(function, "unforced", function)
        self._inputs = inputs
        self._clock = clock
        self._overhead = overhead() if clock is SYSTEM else NOTHING
        self._loop = _own(_LOOPS.get(len(inputs), _many))
        self._known = False
        self.in_flight: InFlight[*Inputs] | None = None

    def sample(self, calls: int) -> float:
        """Seconds for that many calls, with the garbage collector off; what the loop itself costs is taken off.

        Raises Unevaluated where the function returns a promise that only itself could keep.
        """
        if not self._known:
            return self._look() + (self.sample(calls - 1) if calls > 1 else 0.0)
        with collector_off():
            seconds = self._loop(self._function, self._inputs, self._clock.now, calls)
        return self._overhead.net(seconds, calls)

    def _look(self) -> float:
        """The first call: what it returns decides how all others are timed."""
        function = self._function
        with collector_off():
            started = self._clock.now()
            result = function(*self._inputs)
            if force := forcing(result):
                force(result)
            seconds = self._clock.now() - started
        if force:
            self._function = lambda *inputs: force(function(*inputs))
            self.in_flight = InFlight(function, self._inputs, self._clock)
        self._known = True
        return seconds


class InFlight(Generic[*Inputs]):
    """The throughput of an asynchronous device: the next call is made while the device still works on the last ones.

    Only the last result is waited for: a device works in order.
    """

    def __init__(self, function: Callable[[*Inputs], object], inputs: tuple[*Inputs], clock: Clock) -> None:
        self._function, self._inputs, self._clock = function, inputs, clock

    def sample(self, calls: int) -> float:
        """Seconds for that many calls, from the first one's start until the device has done them all."""
        function, inputs, start, wait = self._function, self._inputs, mlx("async_eval"), mlx("eval")
        result: object = None
        with collector_off():
            started = self._clock.now()
            for _ in repeat(None, calls):
                result = function(*inputs)
                start(result)
            wait(result)
            return self._clock.now() - started


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
