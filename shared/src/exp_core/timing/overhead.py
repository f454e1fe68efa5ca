"""What the loop around the calls costs, to be taken off again.

A sample is ``now(); for _ in repeat(None, calls): function(x); now()``.  Two things in it are not the function's: one
reading of the clock, once a sample, and the loop's own turns, once a call: some 5 ns, which is a fifth of a call that
does nothing.  Both are taken off.  The call itself (pushing the arguments, entering, returning, dropping the result)
stays: nobody can have the function without it.

The turn is measured with the same loop around nothing, and of several measurements the smallest is taken: interruptions
only add, and too little taken off is the safer error.  What is left is never below a tenth of what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat

from exp_core.timing.clock import SYSTEM, Clock, tick

TURNS = 10_000
TRIES = 9
SHARE = 1e-4  # of a sample: the most that reading the clock may be
LEAST = 0.1


@dataclass(frozen=True, slots=True)
class Overhead:
    """Seconds of one reading of the clock, and of one turn of the loop."""

    reading_s: float
    turn_s: float

    def net(self, seconds: float, calls: int) -> float:
        """What the calls alone took."""
        return max(seconds - self.reading_s - calls * self.turn_s, LEAST * seconds)


NOTHING = Overhead(0.0, 0.0)


def measure(clock: Clock) -> Overhead:
    """Measure it afresh, in about a millisecond."""
    reading_s = tick(clock)
    return Overhead(reading_s, max(min(_turns(clock) for _ in range(TRIES)) - reading_s, 0.0) / TURNS)


@lru_cache(maxsize=1)
def overhead() -> Overhead:
    """That of the system's clock, measured once a process."""
    return measure(SYSTEM)


def _turns(clock: Clock) -> float:
    now = clock.now
    started = now()
    for _ in repeat(None, TURNS):
        pass
    return now() - started
