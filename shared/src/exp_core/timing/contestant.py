"""One contestant in the middle of a race: what is known about it so far.

A contestant may have shadows: the same work, timed in the same rounds under another condition.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from exp_core.timing.calibrate import LONG_CALL_S, calibrate
from exp_core.timing.clock import Clock, Stopwatch
from exp_core.timing.quiet import rest
from exp_core.timing.sampler import Elsewhere, FunctionSampler, Sampler, checked
from exp_core.timing.warmup import warm_up

IN_FLIGHT = 4  # calls at least, to be told from one call alone
Condition = Literal["", "again", "in flight", "cold", "beside"]
TOO_SHORT = 4  # times shorter than it was calibrated for: then it was not the steady state that was calibrated


@dataclass(eq=False, slots=True)
class Contestant:
    """Compared by identity.  Times are seconds.

    calls: calls in one sample.     call_s: one call, by calibration.     target_s: what a sample should last.
    costs_s: what it cost to have it in a round (warm-up, sample and rest): foretold first, then the last few.
    samples: seconds of one call, one a round.     isolated_s: of one call, when sampled alone, one a sample.
    busy_s, wall_s: CPU seconds of all threads, and seconds that passed, in all samples together.
    of, condition: the contestant whose shadow this one is, and what is different: nothing (raced again, under a second
        name), many calls in flight on an asynchronous device, or cold caches before each call.  One that is timed
        beside the others is nobody's shadow.
    """

    name: str
    sampler: Sampler
    clock: Clock
    first_call_s: float | None = None
    calls: int = 1
    call_s: float = 0.0
    target_s: float = 0.0
    warm_up_calls: int = 0
    costs_s: deque[float] = field(default_factory=lambda: deque(maxlen=5))
    samples: list[float] = field(default_factory=list)
    isolated_s: list[float] = field(default_factory=list)
    failure: str = ""
    busy_s: float = 0.0
    wall_s: float = 0.0
    of: Contestant | None = None
    condition: Condition = ""

    @property
    def round_s(self) -> float:
        """What it will cost to have it in the next round.  One round in which the process was stopped says nothing."""
        return sorted(self.costs_s)[(len(self.costs_s) - 1) // 2] if self.costs_s else 0.0

    def call_first(self) -> None:
        """Call it once, unless it is known how long that took."""
        if self.first_call_s is None:
            with self._out_if_it_raises():
                self.first_call_s = checked(self.sampler.sample(1))

    def calibrate(self, target_s: float, allowance_s: float) -> None:
        """Warm up for so long at most, then find how many calls make a sample of ``target_s`` seconds."""
        self.target_s = target_s
        if not self.failure:
            with self._out_if_it_raises():
                warm = warm_up(self.sampler, allowance_s, self.clock)
                self.warm_up_calls = warm.calls
                self.calls, self.call_s = calibrate(self.sampler, target_s, warm.call_s)
                self.costs_s.append(self.calls * self.call_s + rest(self.clock))

    def twin(self) -> Contestant:
        """The same under a second name, calibrated already."""
        known = (self.first_call_s, self.calls, self.call_s, self.target_s, self.warm_up_calls, self.costs_s.copy())
        return Contestant("", self.sampler, self.clock, *known, of=self, condition="again")

    def shadows(self, cold: bool) -> Iterator[Contestant]:
        """The same under the other conditions that make sense for it: functions in this process alone."""
        if self.failure or not isinstance(self.sampler, FunctionSampler):
            return
        if in_flight := self.sampler.in_flight:
            calls = max(self.calls, IN_FLIGHT)
            shadow = Contestant("", in_flight, self.clock, self.first_call_s, calls, self.call_s, self.target_s)
            shadow.of, shadow.condition = self, "in flight"
            shadow.costs_s.append(calls * self.call_s + rest(self.clock))
            yield shadow
        elif cold:
            from exp_core.timing.cold import Cold

            shadow = Contestant("", Cold(self.sampler), self.clock, self.first_call_s, of=self, condition="cold")
            shadow.call_s = math.inf  # what is to be cold is not warmed up
            if shadow.time_once() is not None:
                yield shadow

    @property
    def conditional(self) -> bool:
        """Whether it runs because of others: a shadow under another condition, or beside them."""
        return self.condition in ("in flight", "cold", "beside")

    @property
    def busy_cores(self) -> float | None:
        """How many cores it kept busy while it was timed; None if it was not."""
        return self.busy_s / self.wall_s if self.wall_s else None

    def time_once(self) -> float | None:
        """Warm up, take one sample, rest: the seconds of one call, or None if it raised."""
        watch = Stopwatch(self.clock)
        call_s: float | None = None
        with self._out_if_it_raises():
            if self.call_s < LONG_CALL_S:
                self.sampler.sample(1)
            seconds = self._sample()
            if seconds < self.target_s / TOO_SHORT and TOO_SHORT * seconds < self.calls * self.call_s:
                self.calls, self.call_s = calibrate(self.sampler, self.target_s, seconds / self.calls)
                seconds = self._sample()
            call_s = seconds / self.calls
            rest(self.clock)
            self.costs_s.append(watch.elapsed())
        return call_s

    def sample_alone(self, samples: int) -> None:
        """Rest, warm up, and take so many samples in a row, nobody between them."""
        with self._out_if_it_raises():
            rest(self.clock)
            self.sampler.sample(1)
            self.isolated_s += [self._sample() / self.calls for _ in range(samples)]

    def _sample(self) -> float:
        """Seconds of ``calls`` calls.  Raises ValueError if that is no duration, and is none a second time either."""
        busy = self.sampler.busy if isinstance(self.sampler, Elsewhere) else self.clock.busy
        watch, before = Stopwatch(self.clock), busy()
        seconds = self.sampler.sample(self.calls)
        self.busy_s += busy() - before
        self.wall_s += watch.elapsed()
        if not (math.isfinite(seconds) and seconds > 0):  # a clock that was set back while it ran
            seconds = checked(self.sampler.sample(self.calls))
        if seconds == 0:
            raise ValueError(f"{self.calls} calls took no time at all")
        return seconds

    @contextmanager
    def _out_if_it_raises(self) -> Iterator[None]:
        """One failing contestant never takes the others down.  An interruption by the user is not its failure."""
        try:
            yield
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}".rstrip(": ")
