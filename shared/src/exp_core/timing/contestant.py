"""One contestant in the middle of a race: what is known about it so far."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from exp_core.timing.calibrate import LONG_CALL_S, calibrate, checked
from exp_core.timing.clock import Clock, Stopwatch
from exp_core.timing.quiet import rest
from exp_core.timing.sampler import Sampler


@dataclass(eq=False, slots=True)
class Contestant:
    """Compared by identity.  Times are seconds.

    calls: calls in one sample.     call_s: one call, by calibration.
    round_s: what it cost to have it in the last round: warm-up, sample and rest.
    samples: seconds of one call, one a round.
    of: the contestant that this one is a second name of.
    """

    name: str
    sampler: Sampler
    clock: Clock
    first_call_s: float | None = None
    calls: int = 1
    call_s: float = 0.0
    round_s: float = 0.0
    samples: list[float] = field(default_factory=list)
    failure: str = ""
    of: Contestant | None = None

    def call_first(self) -> None:
        """Call it once, unless it is known how long that took."""
        if self.first_call_s is None:
            with self._out_if_it_raises():
                self.first_call_s = checked(self.sampler.sample(1))

    def calibrate(self, target_s: float) -> None:
        """Find how many calls make a sample of ``target_s`` seconds."""
        if not self.failure:
            with self._out_if_it_raises():
                self.calls, self.call_s = calibrate(self.sampler, target_s)
                self.round_s = self.calls * self.call_s + rest(self.clock)

    def twin(self) -> Contestant:
        """The same under a second name, calibrated already."""
        return Contestant(
            "", self.sampler, self.clock, self.first_call_s, self.calls, self.call_s, self.round_s, of=self
        )

    def time_once(self) -> float | None:
        """Warm up, take one sample, rest: the seconds of one call, or None if it raised."""
        watch = Stopwatch(self.clock)
        call_s: float | None = None
        with self._out_if_it_raises():
            if self.call_s < LONG_CALL_S:
                self.sampler.sample(1)
            seconds = checked(self.sampler.sample(self.calls))
            if seconds == 0:
                raise ValueError(f"{self.calls} calls took no time at all")
            rest(self.clock)
            self.round_s = watch.elapsed()
            call_s = seconds / self.calls
        return call_s

    @contextmanager
    def _out_if_it_raises(self) -> Iterator[None]:
        """One failing contestant never takes the others down.  An interruption by the user is not its failure."""
        try:
            yield
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}".rstrip(": ")
