"""The same problem at smaller sizes, and how long it takes to make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from exp_core.experiment import Inputs
from exp_core.footprint import footprint
from exp_core.growth import GrowthByBytes
from exp_core.memory import traced_peak
from exp_core.timing import call_once

# Bytes of an input whose arrays the C library asks the system for: glibc's largest M_MMAP_THRESHOLD, twice.
FRESH = 2**26
PAGES_COST = 16  # times as long as in memory that was used before
LONGEST_TRIAL_S = 0.25  # a trial that could take half as much longer than the last one is not made
SMALLEST = 3  # trials begin where the largest size has about this many bits


@dataclass
class Trials:
    """The same problem at smaller sizes: every integer size halved j times, down to 1; made once, shared by all.

    thinned: sizes that thin the input out (every n-th pixel), which are doubled instead, up to the value given.
    fixed: whole numbers that stay as they are.
    longest_s: no trial is made that is foretold to take half as long, nor any whose input takes so long to make.
    start_s: seconds that the very first making took longer than the next: libraries that it loaded.
    making: seconds that the making of each took.     again: makes the last one.
    """

    make: Callable[[Mapping[str, float]], Inputs]
    sizes: Mapping[str, float]
    longest_s: float = LONGEST_TRIAL_S
    thinned: Mapping[str, int] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    start_s: float = 0.0
    made: dict[int, Inputs] = field(default_factory=dict)
    making: GrowthByBytes = field(default_factory=GrowthByBytes)
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

    def soon(self, scale: int, patience_s: float) -> bool:
        """Whether that input is there, or making it is foretold to take no longer."""
        return scale in self.made or not self.making.over(patience_s, self.making.at, scale, self.longest_s)

    def telling(self, patience_s: float) -> bool:
        """Whether the last input was made of pages that were never touched, or the whole is far from trying patience.

        Such a page costs more than all that is done with it: 4 ns a byte were seen where a small input takes 0.3.
        """
        return self.making.last_bytes >= FRESH or self.soon(0, patience_s / PAGES_COST)

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
        very_first = not self.making.seconds
        self.made[scale], first = call_once(self.make, sizes)
        self.making.bytes[scale] = footprint(self.made[scale])
        self.again = partial(self.make, sizes)
        # a large one is not timed again: it would find its own pages
        again = self.again if self.making.last_bytes < FRESH else None
        longer = self.making.add(scale, first, again, self.longest_s)
        if very_first:
            self.start_s = longer


def predict_making(trials: Trials, patience_s: float) -> float:
    """Seconds that making the input takes, foretold from smaller ones; what they made serves all later trials.

    Before a forecast exceeds the patience, ever larger ones are made, each foretold to take a quarter of it at most,
    and before one near to it is believed: small inputs find memory that was used before.
    0 if the problem refuses the larger of them: at the real sizes it will speak for itself.
    """
    refused = False
    for scale in trials.scales():
        if not trials.soon(scale, trials.longest_s) and trials.soon(0, patience_s) and trials.telling(patience_s):
            break
        if not trials.soon(scale, patience_s / 4):
            break
        try:
            trials.inputs_at(scale)
        except Exception:  # small sizes may be refused, and larger ones not
            refused = True
        else:
            refused = False
    return 0.0 if refused else trials.making.at(0)


def predict_peak(trials: Trials) -> float:
    """Bytes at the peak while the input is made: as many times its own as in the last trial; 0 if there was none.

    Made again for it, so ask only where it matters.
    """
    if trials.again is None:
        return 0.0
    times = traced_peak(trials.again) / max(trials.making.last_bytes, 1)
    return max(times, 1.0) * trials.making.bytes_at(0)
