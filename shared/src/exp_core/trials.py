"""The same problem at smaller sizes, and how values grow from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from exp_core.contestants import Call
from exp_core.experiment import Inputs
from exp_core.footprint import footprint
from exp_core.timing import call_once

LONGEST_TRIAL_S = 0.25  # a trial that could take half as much longer than the last one is not made
SHORT_S = 0.05  # a trial so short is made three times: it may have met a sleeping thread
LEAST, MORE = 2, 8  # times that it is made again where it would end the trials, or rule somebody out
DOUBLINGS = 3  # over which the growth of what is counted by running is seen
SMALLEST = 3  # trials begin where the largest size has about this many bits


@dataclass
class Trials:
    """The same problem at smaller sizes: every integer size halved j times, down to 1; made once, shared by all.

    thinned: sizes that thin the input out (every n-th pixel), which are doubled instead, up to the value given.
    fixed: whole numbers that stay as they are.
    longest_s: no trial is made that is foretold to take half as long, nor any whose input takes so long to make.
    start_s: seconds that the very first making took longer than the next: libraries that it loaded.
    making_s, bytes: seconds that the making of each took, and its footprint.
    again: makes the last one again, where that was not done yet.
    """

    make: Callable[[Mapping[str, float]], Inputs]
    sizes: Mapping[str, float]
    longest_s: float = LONGEST_TRIAL_S
    thinned: Mapping[str, int] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    start_s: float = 0.0
    made: dict[int, Inputs] = field(default_factory=dict)
    making_s: dict[int, float] = field(default_factory=dict)
    bytes: dict[int, int] = field(default_factory=dict)
    again: Callable[[], Inputs] | None = None

    @property
    def halved(self) -> list[str]:
        """The sizes that are: whole numbers that are neither thinned nor fixed."""
        others = (*self.thinned, *self.fixed)
        return [name for name, size in self.sizes.items() if isinstance(size, int) and name not in others]

    def scales(self) -> Iterator[int]:
        """How often to halve, from the smallest trial to the largest that is not the problem itself."""
        halved = [int(self.sizes[name]) for name in self.halved]
        doublings = [(most // int(self.sizes[name])).bit_length() for name, most in self.thinned.items()]
        yield from range(max((max(halved, default=1).bit_length() - SMALLEST, *doublings, 0)), 0, -1)

    def quick(self) -> Iterator[int]:
        """Those scales at which the input is there, or is foretold to be there soon."""
        for scale in self.scales():
            if scale not in self.made and not self.soon(scale, self.longest_s):
                return
            yield scale

    def soon(self, scale: int, patience_s: float) -> bool:
        """Whether making that input is foretold to take no longer; the last one made is made again before a no."""
        if self.again and self.making(scale) > patience_s:
            last = list(self.making_s)[-1]
            self.making_s[last], self.again = quickest(self.again, self.making_s[last], self.longest_s), None
        return self.making(scale) <= patience_s

    def making(self, scale: int) -> float:
        """Seconds that making that input takes, if each byte takes as long as in the last one; 0 if there is none.

        Small inputs are no better guide: between two of them threads start or a library is loaded, and that is no law.
        """
        if not self.making_s:
            return 0.0
        last = list(self.making_s)[-1]
        return self.making_s[last] * grown(self.bytes, scale) / self.bytes[last]

    def sizes_at(self, scale: int) -> dict[str, float]:
        """The sizes, halved that often; real-valued sizes are parameters and stay as they are."""
        halved = {k: max(1, int(self.sizes[k]) >> scale) for k in self.halved}
        thinned = {k: max(int(self.sizes[k]), min(int(self.sizes[k]) << scale, v)) for k, v in self.thinned.items()}
        return {**self.sizes, **halved, **thinned}

    def inputs_at(self, scale: int) -> Inputs:
        """The input at those sizes; where the problem refuses halves, at the next ones (an even size is halved)."""
        if scale not in self.made:
            sizes = self.sizes_at(scale)
            try:
                self._make(scale, sizes)
            except ValueError:
                self._make(scale, sizes | {k: sizes[k] + 1 for k in self.halved})
        return self.made[scale]

    def _make(self, scale: int, sizes: Mapping[str, float]) -> None:
        self.made[scale], first = call_once(self.make, sizes)
        self.bytes[scale] = footprint(self.made[scale])
        self.again = partial(self.make, sizes)
        very_first = not self.making_s  # it may have loaded a library, or compiled
        twice = first < SHORT_S or very_first
        self.making_s[scale] = min(first, steady(self.again, self.longest_s)) if twice else first
        if very_first:
            self.start_s = first - self.making_s[scale]


def predict_making(trials: Trials, patience_s: float) -> float:
    """Seconds that making the input takes, foretold from smaller ones; what they made serves all later trials.

    Before a forecast exceeds the patience, ever larger ones are made, each foretold to take a quarter of it at most.
    0 if the problem refuses the larger of them: at the real sizes it will speak for itself.
    """
    refused = False
    for scale in trials.scales():
        if not trials.soon(scale, trials.longest_s) and trials.soon(0, patience_s):
            break
        if not trials.soon(scale, patience_s / 4):
            break
        try:
            trials.inputs_at(scale)
        except Exception:  # small sizes may be refused, and larger ones not
            refused = True
        else:
            refused = False
    return 0.0 if refused else trials.making(0)


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


def quickest(call: Call, seconds: float, patience_s: float) -> float:
    """The least of the seconds of a call and of some more: a sleeping thread or a busy neighbour slows one, not all."""
    more = patience_s / seconds if seconds > 0 else MORE
    return min((seconds, *(call_once(call)[1] for _ in range(int(min(max(more, LEAST), MORE))))))
