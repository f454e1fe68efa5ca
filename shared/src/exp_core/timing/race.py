"""The race: first calls, calibration, then rounds in which every contestant is timed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from exp_core.timing.calibrate import sample_length
from exp_core.timing.clock import Clock, Deadline, Stopwatch, tick
from exp_core.timing.contestant import Contestant
from exp_core.timing.isolated import BLOCKS, SAMPLES, reserve
from exp_core.timing.quiet import rest
from exp_core.timing.result import Comparison, Interrupted, Timing
from exp_core.timing.sampler import Sampler
from exp_core.timing.schedule import order, who_goes_on
from exp_core.timing.statistics import paired

BESIDE = 0.5  # of the budget that must be left for what is timed beside the others to join them
WARM_UP = 0.1  # of the budget that the first calls leave, at most


def race(
    samplers: Mapping[str, Sampler],
    budget_s: float,
    seed: int,
    progress: Callable[[float], None],
    first_calls: Mapping[str, float],
    clock: Clock,
    *,
    cold: bool = False,
    beside: Mapping[str, Sampler] | None = None,
) -> Comparison:
    """``compare`` with everything said, and by any clock."""
    contestants = [Contestant(name, sampler, clock, first_calls.get(name)) for name, sampler in samplers.items()]
    others = [Contestant(name, sampler, clock, condition="beside") for name, sampler in (beside or {}).items()]
    field = list(contestants)  # and their shadows, when it is known whose
    deadline = Deadline(budget_s, clock)
    foreign = _Foreign(clock)

    def report() -> None:
        progress(min(deadline.elapsed() / budget_s, 1.0))

    try:
        for contestant in contestants:
            contestant.call_first()
            report()
        rest(clock)
        left_s = deadline.left()
        everybody = [*contestants, *others]
        target_s = sample_length(max(left_s, 0.1 * budget_s), len(everybody) + 1, tick(clock))
        for contestant in everybody:
            if contestant.condition == "beside":
                if deadline.left() < BESIDE * budget_s:
                    others.remove(contestant)
                    continue
                contestant.call_first()
            contestant.calibrate(target_s, WARM_UP * left_s / len(everybody))
            report()
        field += [best.twin() for best in _fastest(contestants)]
        field += [shadow for contestant in contestants for shadow in contestant.shadows(cold)]
        field += others
        alone = reserve(contestants, deadline.left())
        _alone(alone, report)
        _rounds(field, deadline, sum(alone.values()) / BLOCKS, seed, report)
        if deadline.left():
            _alone(alone, report)
    except KeyboardInterrupt as interrupt:
        raise Interrupted(_comparison(contestants, others, field, seed, foreign.cores())) from interrupt
    progress(1.0)
    return _comparison(contestants, others, field, seed, foreign.cores())


def _alone(contestants: Iterable[Contestant], report: Callable[[], None]) -> None:
    """A block of samples of each, with nobody between."""
    for contestant in contestants:
        if not contestant.failure:
            contestant.sample_alone(SAMPLES)
            report()


class _Foreign(Stopwatch):
    """How many cores other processes use, from the moment that it is made."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._others, self._before = clock.others, clock.others()

    def cores(self) -> float | None:
        """Their mean so far; None where the system does not tell."""
        after, seconds = self._others(), self.elapsed()
        if after is None or self._before is None or seconds <= 0:
            return None
        return max((after - self._before) / seconds, 0.0)


def _fastest(contestants: list[Contestant]) -> list[Contestant]:
    """The one with the shortest call; none if all have failed."""
    return sorted((c for c in contestants if not c.failure), key=lambda c: c.call_s)[:1]


def _rounds(
    field: list[Contestant], deadline: Deadline, reserved_s: float, seed: int, report: Callable[[], None]
) -> None:
    """Rounds until the budget is used but for what is reserved.  A round that is broken off leaves no trace."""
    rounds = 0
    while True:
        alive = [c for c in field if not c.failure]
        costs = {c: c.round_s + sum(s.round_s for s in _conditions(c, alive)) for c in alive if not c.conditional}
        beside = [c for c in alive if c.condition == "beside"]
        beside_s = sum(c.round_s for c in beside)
        going = who_goes_on(costs, rounds, deadline.left() - reserved_s, beside_s)
        if not going:
            return
        ends_s = deadline.elapsed() + sum(costs[c] for c in going)
        if ends_s + beside_s > 2 * deadline.budget_s >= ends_s:
            beside = []  # and they do not come back, so that their rounds remain those of the others
        if ends_s > 2 * deadline.budget_s:
            if not rounds:  # better than nothing: the call of the calibration stands in for the only round
                for contestant in (*going, *beside):
                    contestant.samples.append(contestant.call_s)
            return
        going += [shadow for c in going for shadow in _conditions(c, alive)] + beside
        times: dict[Contestant, float | None] = {}
        for contestant in order(going, rounds, seed):
            times[contestant] = contestant.time_once()
            report()
        for contestant, seconds in times.items():
            if seconds is not None:
                contestant.samples.append(seconds)
        field = going
        rounds += 1


def _conditions(contestant: Contestant, field: list[Contestant]) -> list[Contestant]:
    """Its shadows under other conditions: they run where it runs."""
    return [shadow for shadow in field if shadow.of is contestant and shadow.conditional]


def _comparison(
    contestants: list[Contestant],
    others: list[Contestant],
    field: list[Contestant],
    seed: int,
    cores: float | None,
) -> Comparison:
    """What is known at the end, or at the interruption."""
    shadows = {(c.of, c.condition): tuple(c.samples) for c in field if c.of}
    beside = [Timing.of(c.name, c.first_call_s, tuple(c.samples), c.calls, c.failure, seed) for c in others]
    twins = [paired(of.samples, again) for (of, condition), again in shadows.items() if condition == "again" and again]
    timings = [
        Timing.of(
            c.name,
            c.first_call_s,
            tuple(c.samples),
            c.calls,
            c.failure,
            seed,
            isolated=tuple(c.isolated_s),
            warm_up_calls=c.warm_up_calls,
            busy_cores=c.busy_cores,
            in_flight=shadows.get((c, "in flight"), ()),
            cold=shadows.get((c, "cold"), ()),
        )
        for c in contestants
    ]
    return Comparison.of(timings, seed, twins[0] if twins else (), cores, beside=beside)
