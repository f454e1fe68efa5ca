"""What a run will take, foretold from small trials and the cost model: so that nothing hangs or eats the machine."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from exp_core.compiled import Compiled
from exp_core.contestants import Call, Contestant
from exp_core.experiment import Cost, Experiment, Inputs
from exp_core.timing import call_once
from exp_core.trials import Trials, grown, quickest, steady

LONGEST_PREPARATION_S = 1.0  # the next one could take twice as long, whatever the call itself takes
UNSEEN = 0.1  # nor one that will take longer by less than this part: overhead would hide it
SLOWEST_S = 1e-5  # a unit of work: fractions in plain Python take less, so that what is more may be overhead
TINY_WORK = 1e5  # flops and bytes that even plain Python does in a blink


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
    """What the oracle takes, if its work grows no faster than that of the experiment's last implementation.

    One that keeps its answers (``functools.wraps``) is timed without: asked again it would seem to take no time.
    """
    oracle, last = experiment.oracle, experiment.implementations[-1]
    if oracle is None:
        return Prediction(0.0)
    oracle = inspect.unwrap(oracle, stop=lambda function: isinstance(function, Compiled))

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


def slope(before: tuple[float, float], now: tuple[float, float]) -> float:
    """Seconds that more work takes, from two trials, each (work, seconds): what both have in common is overhead.

    Never more than if all of the last trial were work, and never less than a twentieth of that: small trials are noisy.
    """
    most = now[1] / max(now[0], 1.0)
    if before[0] == 0 or now[0] <= before[0]:
        return most
    return min(max((now[1] - before[1]) / (now[0] - before[0]), most / 20), most)


def work(cost: Cost) -> float:
    """One number to scale a trial by."""
    return cost.flops + cost.bytes
