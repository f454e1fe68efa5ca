"""One contestant in the middle of a race: what is known about it so far."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from exp_core.timing.calibrate import LONG_CALL_S, calibrate
from exp_core.timing.clock import Clock, Stopwatch
from exp_core.timing.quiet import rest
from exp_core.timing.sampler import Sampler, checked
from exp_core.timing.warmup import warm_up

TOO_SHORT = 4  # times shorter than it was calibrated for: then it was not the steady state that was calibrated


@dataclass(eq=False, slots=True)
class Contestant:
    """Compared by identity.  Times are seconds.

    calls: calls in one sample.     call_s: one call, by calibration.     target_s: what a sample should last.
    costs_s: what it cost to have it in a round (warm-up, sample and rest): foretold first, then the last few.
    samples: seconds of one call, one a round.     isolated_s: of one call, when sampled alone, one a sample.
    of: the contestant that this one is a second name of.
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
    of: Contestant | None = None

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
        return Contestant("", self.sampler, self.clock, *known, of=self)

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
        seconds = self.sampler.sample(self.calls)
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
