"""What a run will take, foretold from small trials and the cost model: so that nothing hangs or eats the machine."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from exp_core.compiled import Compiled
from exp_core.contestants import Call, Contestant
from exp_core.experiment import Cost, Experiment, Inputs
from exp_core.growth import Growth, GrowthByWork, grown
from exp_core.timing import call_once
from exp_core.trials import Trials

LONGEST_PREPARATION_S = 1.0  # the next one could take twice as long, whatever the call itself takes
UNSEEN = 0.1  # nor one that will take longer by less than this part: overhead would hide it
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


def predict_call(contestant: Contestant, trials: Trials, inputs: Inputs) -> Prediction:
    """What a call of a contestant on the full input takes."""
    implementation = contestant.implementation

    def ready(small: Inputs) -> Call | None:
        return None if contestant.unsuited(small) else contestant.ready(small)

    return predict(ready, implementation.cost, trials, None if implementation.counted else inputs)


def predict_oracle(experiment: Experiment, trials: Trials, inputs: Inputs, patience_s: float = math.inf) -> Prediction:
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
        return predict(ready, lambda *small: Cost(), trials, None, patience_s)
    return predict(ready, last.cost, trials, inputs, patience_s)


def predict(
    ready: Callable[[Inputs], Call | None],
    cost: Callable[..., Cost],
    trials: Trials,
    inputs: Inputs | None,
    patience_s: float = math.inf,
) -> Prediction:
    """What a call on the full input takes: ever larger trials while they are short, and then the law of their growth.

    Overhead, compilation and sleeping threads make small trials slow for their work: the forecast errs upwards.
    inputs: the full input; None where a cost is counted by running it, so that the full one cannot be asked for.
    patience_s: before a forecast exceeds it, larger trials are made, each longer than the last by half of it at most.
    """
    whole = None if inputs is None else cost(*inputs)
    if whole is not None and work(whole) <= TINY_WORK:
        return Prediction(memory=whole.memory, tiny=True)
    growth = Growth() if whole is None else GrowthByWork(work={0: work(whole)})
    memory: dict[int, float] = {}  # of what is counted by running it
    start_s = 0.0
    for scale in trials.scales():
        longest_s = trials.longest_s
        if growth.at(0) > patience_s:
            longest_s = max(longest_s, patience_s)
        if not trials.soon(scale, longest_s):
            break
        try:
            small = trials.inputs_at(scale)
            if isinstance(growth, GrowthByWork):
                growth.work[scale] = work(cost(*small))
            if growth.over(longest_s / 2, growth.rise, scale, trials.longest_s):
                break
            if growth.rise(scale) < UNSEEN * growth.last:
                continue
            call, preparing = call_once(partial(ready, small))
            if call is None:
                continue
            first = call_once(call)[1]
            start_s = max(start_s, growth.add(scale, first, call, trials.longest_s))
            if whole is None:
                memory[scale] = cost(*small).memory
        except Exception:  # a trial that fails foretells nothing; the run itself will say what is wrong
            continue
        if preparing > LONGEST_PREPARATION_S:
            break
    growth.over(trials.longest_s, growth.at, 0, trials.longest_s)  # it might rule somebody out
    return Prediction(growth.at(0), start_s, grown(memory, least=1.0) if whole is None else whole.memory)


def work(cost: Cost) -> float:
    """One number to scale a trial by."""
    return cost.flops + cost.bytes
