"""How seconds grow from one trial to the next; before a no follows from the last trial, it is made again.

Trials are numbered by their scale: the problem itself is at 0, and each scale above it has half the size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from exp_core.contestants import Call
from exp_core.timing import call_once

SHORT_S = 0.05  # a trial so short is made three times: it may have met a sleeping thread
LEAST, MORE = 4, 8  # times that one is made in all, where it would end the trials, or rule somebody out
DOUBLINGS = 3  # over which the growth of what is counted by running is seen
SLOWEST_S = 1e-5  # a unit of work: fractions in plain Python take less, so that what is more may be overhead


@dataclass
class Growth:
    """Seconds at some scales, the larger trials later; elsewhere they are as they grew, twofold a doubling at least.

    call: makes the last trial again, where that was not done yet.     made: how often it was made at least.
    """

    seconds: dict[int, float] = field(default_factory=dict)
    call: Call | None = None
    made: int = 0

    def add(self, scale: int, first_s: float, call: Call | None, longest_s: float) -> float:
        """One more trial was made.  Returns the seconds that its first call took longer than those made at once again.

        A short one is made again, and the very first, which may have loaded or compiled; without a call it never is.
        """
        short, very_first = first_s < min(SHORT_S, longest_s / MORE), not self.seconds
        self.seconds[scale], self.made = first_s, 1
        if call is not None and (short or very_first):
            self.made = 2
            self.seconds[scale] = min(first_s, steady(call, longest_s))
        self.call = call
        return first_s - self.seconds[scale]

    @property
    def last(self) -> float:
        """Seconds of the last trial; 0 if there was none."""
        return next(reversed(self.seconds.values()), 0.0)

    def at(self, scale: int) -> float:
        """Seconds foretold at a scale; 0 if there was no trial."""
        return grown(self.seconds, scale)

    def rise(self, scale: int) -> float:
        """By how much a trial at that scale is foretold to be longer than the last one."""
        return self.at(scale) - self.last

    def over(self, limit_s: float, foretold: Callable[[int], float], scale: int, again_s: float) -> bool:
        """Whether what is foretold at a scale exceeds a limit; before a yes the last trial is made again, once."""
        if self.call is not None and foretold(scale) > limit_s:
            last = next(reversed(self.seconds))
            self.seconds[last], self.call = quickest(self.call, self.seconds[last], again_s, LEAST - self.made), None
        return foretold(scale) > limit_s


@dataclass
class GrowthByBytes(Growth):
    """Of making an input: as long for each byte as in the last trial.

    Small inputs are no better guide: between two of them threads start or a library is loaded, and that is no law.
    """

    bytes: dict[int, int] = field(default_factory=dict)

    @property
    def last_bytes(self) -> int:
        """Bytes of the last input; 0 if there was none."""
        return next(reversed(self.bytes.values()), 0)

    def bytes_at(self, scale: int) -> float:
        """Bytes foretold at a scale, no fewer than in the last input; 0 if there was none."""
        return grown(self.bytes, scale, least=1.0)

    def at(self, scale: int) -> float:
        """Seconds foretold at a scale; 0 if there was no trial."""
        return self.last * grown(self.bytes, scale) / self.last_bytes if self.seconds else 0.0


@dataclass
class GrowthByWork(Growth):
    """Of a call whose work is known on paper: each unit more takes as long as over the last two trials."""

    work: dict[int, float] = field(default_factory=dict)

    def at(self, scale: int) -> float:
        """Seconds foretold at a scale; 0 if there was no trial."""
        return self.last + self._slope() * self._more(scale) if self.seconds else 0.0

    def rise(self, scale: int) -> float:
        """By how much a trial there is foretold to be longer; one trial alone cannot tell work from overhead."""
        slowest = SLOWEST_S if len(self.seconds) == 1 else float("inf")
        return min(self._slope(), slowest) * self._more(scale) if self.seconds else 0.0

    def _more(self, scale: int) -> float:
        """Work beyond that of the last trial."""
        return self.work[scale] - self.work[next(reversed(self.seconds))]

    def _slope(self) -> float:
        made = [(self.work[scale], seconds) for scale, seconds in self.seconds.items()][-2:]
        return slope(made[0] if len(made) == 2 else (0.0, 0.0), made[-1])


def slope(before: tuple[float, float], now: tuple[float, float]) -> float:
    """Seconds that more work takes, from two trials, each (work, seconds): what both have in common is overhead.

    Never more than if all of the last trial were work, and never less than a twentieth of that: small trials are noisy.
    """
    most = now[1] / max(now[0], 1.0)
    if before[0] == 0 or now[0] <= before[0]:
        return most
    return min(max((now[1] - before[1]) / (now[0] - before[0]), most / 20), most)


def grown(values: Mapping[int, float], scale: int = 0, least: float = 2.0) -> float:
    """A value at a larger scale (0: the problem itself) from those at some, the larger ones later; 0 if there are none.

    It grows as over the last ``DOUBLINGS``, where fewer were seen as if it had grown by the least before: one set may
    be far harder than the one before it.
    least: the factor that each doubling brings at least; an algorithm looks at all of its input.
    """
    if not values:
        return 0.0
    last = list(values)[-1]
    first = next(at for at in values if at <= last + DOUBLINGS)
    ratio = values[last] / values[first] if values[first] > 0 else 1.0
    rate = (ratio * least ** (DOUBLINGS - (first - last))) ** (1 / DOUBLINGS)
    return float(values[last] * max(least, rate) ** (last - scale))


def steady(call: Call, longest_s: float) -> float:
    """Seconds of a call that has been made before; the best of three where that costs next to nothing."""
    seconds = call_once(call)[1]
    short = min(SHORT_S, longest_s / MORE)
    return seconds if seconds >= short else min(seconds, call_once(call)[1], call_once(call)[1])


def quickest(call: Call, seconds: float, again_s: float, least: int) -> float:
    """The least of the seconds of a call and of some more: a sleeping thread or a busy neighbour slows one, not all."""
    more = again_s / seconds if seconds > 0 else MORE
    return min((seconds, *(call_once(call)[1] for _ in range(int(min(max(more, least), MORE))))))
