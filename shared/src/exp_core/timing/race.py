"""The race: first calls, calibration, then rounds in which every contestant is timed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVarTuple

from exp_core.timing.calibrate import sample_length
from exp_core.timing.clock import SYSTEM, Clock, Deadline, tick
from exp_core.timing.contestant import Contestant
from exp_core.timing.quiet import rest
from exp_core.timing.result import Comparison, Interrupted, Timing
from exp_core.timing.sampler import FunctionSampler, Sampler
from exp_core.timing.schedule import order, who_goes_on
from exp_core.timing.statistics import noise_floor

Inputs = TypeVarTuple("Inputs")


def compare(
    functions: Mapping[str, Callable[[*Inputs], object] | Sampler],
    *inputs: *Inputs,
    budget_s: float = 5.0,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
    first_calls: Mapping[str, float] | None = None,
) -> Comparison:
    """Race functions on the same inputs, and return how long each takes and by how much they differ.

        print(compare({"a": f, "b": g}, x))

    functions: called with the inputs; or objects with ``sample(calls)`` (see Sampler), which know their own.  A
        function that returns a lazy result must force it itself.
    budget_s: seconds for all of it, first calls included; exceeded only as far as two calls of each and three rounds
        need, and cut short after fewer rounds where a further one would end past twice the budget.
    progress: called now and then with the part of the work that is done, from 0 to 1, never going back.
    first_calls: seconds of the first call of those that were called already: they are not called a first time here.

    Each is called once (compilation), then calibrated; a round warms each up with one call that is not timed, times
    it once, and waits until its threads rest.  A contestant that raises is out, and its error is in its Timing.  The
    one with the shortest call runs under a second, hidden name as well: the gap that it then shows is the noise floor.

    Raises ValueError for no functions or no budget; Interrupted, with all complete rounds, at Ctrl-C.
    """
    if not functions:
        raise ValueError("there is nothing to compare")
    if not budget_s > 0:
        raise ValueError(f"a budget of {budget_s} s is no time")
    samplers = {
        name: function if isinstance(function, Sampler) else FunctionSampler(function, inputs, SYSTEM)
        for name, function in functions.items()
    }
    return race(samplers, budget_s, seed, progress or (lambda part: None), first_calls or {}, SYSTEM)


def race(
    samplers: Mapping[str, Sampler],
    budget_s: float,
    seed: int,
    progress: Callable[[float], None],
    first_calls: Mapping[str, float],
    clock: Clock,
) -> Comparison:
    """``compare`` with everything said, and by any clock."""
    contestants = [Contestant(name, sampler, clock, first_calls.get(name)) for name, sampler in samplers.items()]
    field = list(contestants)  # and the twin, when it is known whose
    deadline = Deadline(budget_s, clock)

    def report() -> None:
        progress(min(deadline.elapsed() / budget_s, 1.0))

    try:
        for contestant in contestants:
            contestant.call_first()
            report()
        rest(clock)
        target_s = sample_length(max(deadline.left(), 0.1 * budget_s), len(contestants) + 1, tick(clock))
        for contestant in contestants:
            contestant.calibrate(target_s)
            report()
        field += [best.twin() for best in _fastest(contestants)]
        _rounds(field, deadline, seed, report)
    except KeyboardInterrupt as interrupt:
        raise Interrupted(_comparison(contestants, field, seed)) from interrupt
    progress(1.0)
    return _comparison(contestants, field, seed)


def _fastest(contestants: list[Contestant]) -> list[Contestant]:
    """The one with the shortest call; none if all have failed."""
    return sorted((c for c in contestants if not c.failure), key=lambda c: c.call_s)[:1]


def _rounds(field: list[Contestant], deadline: Deadline, seed: int, report: Callable[[], None]) -> None:
    """Rounds until the budget is used.  A round that is broken off leaves no trace."""
    rounds = 0
    while True:
        costs = {c: c.round_s for c in field if not c.failure}
        going = who_goes_on(costs, rounds, deadline.left())
        if not going:
            return
        if deadline.elapsed() + sum(costs[c] for c in going) > 2 * deadline.budget_s:
            if not rounds:  # better than nothing: the call of the calibration stands in for the only round
                for contestant in going:
                    contestant.samples.append(contestant.call_s)
            return
        times: dict[Contestant, float | None] = {}
        for contestant in order(going, rounds, seed):
            times[contestant] = contestant.time_once()
            report()
        for contestant, seconds in times.items():
            if seconds is not None:
                contestant.samples.append(seconds)
        field = going
        rounds += 1


def _comparison(contestants: list[Contestant], field: list[Contestant], seed: int) -> Comparison:
    """What is known at the end, or at the interruption."""
    floors = [
        noise_floor(twin.of.samples, twin.samples, seed)
        for twin in field
        if twin.of and twin.samples and twin.of.samples
    ]
    return Comparison(
        timings={
            c.name: Timing.of(c.name, c.first_call_s, tuple(c.samples), c.calls, c.failure, seed) for c in contestants
        },
        noise_floor=floors[0] if floors else None,
        rounds=max(len(c.samples) for c in contestants),
        seed=seed,
    )
