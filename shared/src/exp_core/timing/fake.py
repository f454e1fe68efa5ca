"""For tests: a clock that is moved by hand, and a contestant that moves it."""

from __future__ import annotations

import numpy as np


class FakeClock:
    """Time passes only where a contestant or a sleep says so.

    time: now, in seconds.     spinning_s: how much longer a thread of this process will spin.
    foreign: cores that other processes use all the time; None for a system that does not tell.
    """

    def __init__(self, foreign: float | None = 0.0) -> None:
        self.time = 0.0
        self.foreign = foreign
        self.spinning_s = 0.0
        self._cpu = 0.0

    def now(self) -> float:
        """Where the hand stands."""
        return self.time

    def busy(self) -> float:
        """CPU seconds: those spent at work, and those spent spinning."""
        return self._cpu

    def others(self) -> float | None:
        """CPU seconds of other processes."""
        return None if self.foreign is None else self.foreign * self.time

    def work(self, seconds: float, cores: float) -> None:
        """Move the hand; so many cores are busy meanwhile."""
        self.time += seconds
        self._cpu += cores * seconds

    def sleep(self, seconds: float) -> None:
        """Move the hand; threads that spin do so meanwhile."""
        self.time += seconds
        spun = min(seconds, self.spinning_s)
        self.spinning_s -= spun
        self._cpu += spun


class FakeSampler:
    """Takes ``call_s`` seconds a call, and ``compile_s`` more the first time; each sample is off by a random factor.

    cores: how many it keeps busy.
    noise: standard deviation of the factor's logarithm.     log: gets ``(name, calls)`` of each sample.
    error: raised at the sample number ``error_at``, the first one being 1, and at all later ones.
    """

    def __init__(
        self,
        clock: FakeClock,
        call_s: float,
        *,
        compile_s: float = 0.0,
        cores: float = 1.0,
        noise: float = 0.0,
        seed: int = 0,
        name: str = "",
        log: list[tuple[str, int]] | None = None,
        error: BaseException | None = None,
        error_at: int = 1,
    ) -> None:
        self.clock, self.call_s, self.compile_s, self.cores, self.noise = clock, call_s, compile_s, cores, noise
        self.name, self.log = name, [] if log is None else log
        self.error, self.error_at = error, error_at
        self._rng = np.random.default_rng(seed)

    def sample(self, calls: int) -> float:
        """Move the clock as if it had been called so often."""
        self.log.append((self.name, calls))
        samples = sum(name == self.name for name, _ in self.log)
        if self.error is not None and samples >= self.error_at:
            raise self.error
        seconds = calls * self.call_s * float(np.exp(self.noise * self._rng.standard_normal()))
        seconds += self.compile_s if samples == 1 else 0.0
        self.clock.work(seconds, self.cores)
        return seconds
