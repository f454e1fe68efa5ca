"""What a run will take, foretold from small trials and the cost model: so that nothing hangs or eats the machine."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from exp_core.contestants import Call, Contestant
from exp_core.experiment import Cost, Experiment, Inputs
from exp_core.timing import call_once

LONGEST_TRIAL_S = 0.25  # a trial that could take half as much longer than the last one is not made
LONGEST_PREPARATION_S = 1.0  # the next one could take twice as long, whatever the call itself takes
UNSEEN = 0.1  # nor one that will take longer by less than this part: overhead would hide it
SLOWEST_S = 1e-5  # a unit of work: fractions in plain Python take less, so that what is more may be overhead
SHORT_S = 0.05  # a trial so short is made three times: it may have met a sleeping thread
LEAST, MORE = 2, 8  # times that it is made again where it would end the trials, or rule somebody out
TINY_WORK = 1e5  # flops and bytes that even plain Python does in a blink
LOW = 8, 128  # sizes of the small inputs; the second where the problem refuses the first
DOUBLINGS = 3  # over which the growth of what is counted by running is seen
FARTHEST = 32  # times that, to see by which power of a size the input grows
ENOUGH = 2**20  # bytes of an input that show it
SMALLEST = 3  # trials begin where the largest size has about this many bits


@dataclass(frozen=True, slots=True)
class Prediction:
    """Seconds that one call will take, and those that the very first one took longer: compilation, filled caches.

    memory: bytes of working storage, as its cost says or foretells.
    tiny: it is known to be next to nothing, without a trial.
    """

    seconds: float = 0.0
    start_s: float = 0.0
    memory: float = 0.0
    tiny: bool = False


@dataclass
class Trials:
    """The same problem at smaller sizes: every integer size halved j times, down to 1; made once, shared by all.

    longest_s: no trial is made that is foretold to take half as long, nor any whose input takes so long to make.
    making_s, bytes: seconds that the making of each took, and its footprint.
    again: makes the last one again, where that was not done yet.
    """

    make: Callable[[Mapping[str, float]], Inputs]
    sizes: Mapping[str, float]
    longest_s: float = LONGEST_TRIAL_S
    made: dict[int, Inputs] = field(default_factory=dict)
    making_s: dict[int, float] = field(default_factory=dict)
    bytes: dict[int, int] = field(default_factory=dict)
    again: Callable[[], Inputs] | None = None

    def scales(self) -> Iterator[int]:
        """How often to halve, from the smallest trial to the largest that is not the problem itself."""
        largest = max((int(size) for size in self.sizes.values() if isinstance(size, int)), default=1)
        yield from range(max(largest.bit_length() - SMALLEST, 0), 0, -1)

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
        return {k: max(1, v >> scale) if isinstance(v, int) else v for k, v in self.sizes.items()}

    def inputs_at(self, scale: int) -> Inputs:
        """The input at those sizes; where the problem refuses halves, at the next ones (an even size is halved).

        Where it refuses those too, with the large sizes alone halved: what is less than half of the largest may be a
        parameter, the bits of a number or the length of a group.
        """
        if scale not in self.made:
            sizes, largest = self.sizes_at(scale), max(self.sizes.values(), default=0)
            try:
                self._make(scale, sizes)
            except ValueError:
                try:
                    self._make(scale, {k: v + 1 if isinstance(v, int) else v for k, v in sizes.items()})
                except ValueError:
                    self._make(scale, {k: sizes[k] if 2 * v >= largest else v for k, v in self.sizes.items()})
        return self.made[scale]

    def _make(self, scale: int, sizes: Mapping[str, float]) -> None:
        self.made[scale], first = call_once(self.make, sizes)
        self.bytes[scale] = footprint(self.made[scale])
        self.again = partial(self.make, sizes)
        twice = first < SHORT_S or not self.making_s  # the very first may have loaded a library, or compiled
        self.making_s[scale] = min(first, steady(self.again, self.longest_s)) if twice else first


def predict_making(trials: Trials, patience_s: float) -> float:
    """Seconds that making the input takes, foretold from smaller ones; what they made serves all later trials.

    Before a forecast exceeds the patience, ever larger ones are made, each foretold to take a quarter of it at most.
    """
    for scale in trials.scales():
        if not trials.soon(scale, trials.longest_s) and trials.soon(0, patience_s):
            break
        if not trials.soon(scale, patience_s / 4):
            break
        try:
            trials.inputs_at(scale)
        except Exception:  # the problem refuses such sizes: it will speak for itself at the real ones
            continue
    return trials.making(0)


@dataclass
class Seen:
    """The last trial: its call, its work, its seconds, and both of the trial before."""

    call: Call | None = None
    part: float = 0.0
    seconds: float = 0.0
    before: tuple[float, float] = (0.0, 0.0)

    @property
    def rise(self) -> float:
        """Seconds that a unit of work more takes."""
        return slope(self.before, (self.part, self.seconds))

    def longer(self, work: float) -> float:
        """By how much a trial of more work is foretold to be longer; one trial alone cannot tell work from overhead."""
        rise = self.rise if self.before[0] else min(self.rise, SLOWEST_S)
        return rise * (work - self.part) if self.part else 0.0

    def at(self, work: float) -> float:
        """Seconds that so much work is foretold to take."""
        return self.seconds + self.rise * (work - self.part) if self.part else 0.0

    def doubt(self, patience_s: float) -> None:
        """Make the trial again, once, before anything follows from it."""
        if self.call is not None:
            self.seconds, self.call = quickest(self.call, self.seconds, patience_s), None


def predict_call(contestant: Contestant, trials: Trials, inputs: Inputs) -> Prediction:
    """What a call of a contestant on the full input takes."""
    implementation = contestant.implementation

    def ready(small: Inputs) -> Call | None:
        return None if contestant.unsuited(small) else contestant.ready(small)

    if implementation.counted:
        return predict_counted(ready, implementation.cost, trials)
    return predict(ready, implementation.cost, trials, inputs)


def predict_oracle(experiment: Experiment, trials: Trials, inputs: Inputs) -> Prediction:
    """What the oracle takes, if its work grows no faster than that of the experiment's last implementation."""
    oracle, last = experiment.oracle, experiment.implementations[-1]
    if oracle is None:
        return Prediction(0.0)

    def ready(small: Inputs) -> Call:
        return lambda: oracle(*small)

    if last.counted:
        return predict_counted(ready, lambda *small: Cost(), trials)
    return predict(ready, last.cost, trials, inputs)


def predict(
    ready: Callable[[Inputs], Call | None],
    cost: Callable[..., Cost],
    trials: Trials,
    inputs: Inputs,
) -> Prediction:
    """What a call on the full input takes: ever larger trials while they are short, and then the cost model.

    Overhead, compilation and sleeping threads make small trials slow for their work: the forecast errs upwards.
    """
    whole = cost(*inputs)
    full = work(whole)
    if full <= TINY_WORK:
        return Prediction(memory=whole.memory, tiny=True)
    seen = Seen()
    start_s = 0.0
    for scale in trials.quick():
        try:
            small = trials.inputs_at(scale)
            larger = work(cost(*small))
            if seen.longer(larger) > trials.longest_s / 2:
                seen.doubt(trials.longest_s)
            if seen.longer(larger) > trials.longest_s / 2:
                break
            if seen.part and seen.longer(larger) < UNSEEN * seen.seconds:
                continue
            call, preparing = call_once(partial(ready, small))
            if call is None:
                continue
            first, now = call_once(call)[1], steady(call, trials.longest_s)
        except Exception:  # a trial that fails foretells nothing; the run itself will say what is wrong
            continue
        seen = Seen(call, larger, now, (seen.part, seen.seconds))
        start_s = max(start_s, first - now)
        if preparing > LONGEST_PREPARATION_S:
            break
    if seen.at(full) > trials.longest_s:
        seen.doubt(trials.longest_s)
    return Prediction(seen.at(full), start_s, whole.memory)


def predict_counted(
    ready: Callable[[Inputs], Call | None],
    cost: Callable[..., Cost],
    trials: Trials,
) -> Prediction:
    """The same where a cost is counted by running it, so that the full one cannot be asked for.

    Ever larger trials while they are short; beyond, the seconds grow with each doubling of the sizes as they did over
    the last trials, and the memory likewise.
    """
    seconds: dict[int, float] = {}  # at each scale, of a call; of a trial it may be more
    prepared: dict[int, float] = {}
    memory: dict[int, float] = {}
    start_s = 0.0
    last: Call | None = None

    def too_long(scale: int) -> bool:
        return grown({at: seconds[at] + prepared[at] for at in seconds}, scale) > trials.longest_s / 2

    for scale in trials.quick():
        try:
            if last and too_long(scale):
                at = list(seconds)[-1]
                seconds[at], last = quickest(last, seconds[at], trials.longest_s), None
            if too_long(scale):
                break
            small = trials.inputs_at(scale)
            call, preparing = call_once(partial(ready, small))
            if call is None:
                continue
            first, now = call_once(call)[1], steady(call, trials.longest_s)
            needed = cost(*small).memory
        except Exception:  # a trial that fails foretells nothing; the run itself will say what is wrong
            continue
        start_s = max(start_s, first - now)
        prepared[scale] = preparing if seconds else 0.0  # the first time it may have compiled
        seconds[scale], memory[scale], last = now, needed, call
    return Prediction(grown(seconds), start_s, grown(memory, least=1.0))


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


def slope(before: tuple[float, float], now: tuple[float, float]) -> float:
    """Seconds that more work takes, from two trials, each (work, seconds): what both have in common is overhead.

    Never more than if all of the last trial were work, and never less than a twentieth of that: small trials are noisy.
    """
    most = now[1] / max(now[0], 1.0)
    if before[0] == 0 or now[0] <= before[0]:
        return most
    return min(max((now[1] - before[1]) / (now[0] - before[0]), most / 20), most)


def steady(call: Call, longest_s: float) -> float:
    """Seconds of a call that has been made before; the best of three where that costs next to nothing."""
    seconds = call_once(call)[1]
    short = min(SHORT_S, longest_s / MORE)
    return seconds if seconds >= short else min(seconds, call_once(call)[1], call_once(call)[1])


def quickest(call: Call, seconds: float, patience_s: float) -> float:
    """The least of the seconds of a call and of some more: a sleeping thread or a busy neighbour slows one, not all."""
    more = patience_s / seconds if seconds > 0 else MORE
    return min((seconds, *(call_once(call)[1] for _ in range(int(min(max(more, LEAST), MORE))))))


def predict_input(make: Callable[[Mapping[str, float]], Inputs], sizes: Mapping[str, float]) -> float:
    """Bytes of the input at these sizes, from a few small inputs; 0 if the problem refuses all of those.

    What is small already stays as it is.  A problem that refuses sizes of 8 and 16 may want multiples of a parameter,
    the length of a group: at 128 and 256 that stays as it is too, and divides them where it is a power of two.
    """
    for low in LOW:
        try:
            return bytes_foretold(make, sizes, low)
        except Exception:  # the problem refuses such sizes: at the real ones it will speak for itself
            continue
    return 0.0


def bytes_foretold(make: Callable[[Mapping[str, float]], Inputs], sizes: Mapping[str, float], low: int) -> float:
    """The same from inputs whose sizes above ``2 low`` are ``low`` and ``2 low``.  Raises whatever ``make`` raises.

    Arrays have sides that are sizes, so that their bytes are a sum of products of (powers of) sizes: linear in each.
    Such a function is known everywhere from its values at the corners of a box.
    """
    high = 2 * low
    large = [name for name, size in sizes.items() if isinstance(size, int) and size > high]

    def bytes_at(**changes: float) -> float:
        return float(footprint(make({**sizes, **dict.fromkeys(large, low), **changes})))

    weights: dict[str, tuple[float, float]] = {}
    for name in large:
        before, now = bytes_at(**{name: high}), bytes_at(**{name: 2 * high})
        factor = 2
        while factor < FARTHEST and now < ENOUGH:  # a cube whose side is 32 times as long may not fit
            factor *= 2
            before, now = now, bytes_at(**{name: factor * high})
        power = round(math.log2(max(now, 1) / max(before, 1)))
        least, most, here = (float(size) ** max(power, 1) for size in (low, high, sizes[name]))
        weights[name] = ((most - here) / (most - least), (here - least) / (most - least))
    corners = itertools.product((0, 1), repeat=len(large))
    return sum(
        bytes_at(**{name: (low, high)[side] for name, side in zip(large, corner, strict=True)})
        * math.prod(weights[name][side] for name, side in zip(large, corner, strict=True))
        for corner in corners
    )


def work(cost: Cost) -> float:
    """One number to scale a trial by."""
    return cost.flops + cost.bytes


def footprint(value: object) -> int:
    """Bytes of arrays, and of the tuples, lists and other objects around them; one that stands twice counts twice."""
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return sys.getsizeof(value) + sum(footprint(item) for item in inside)
