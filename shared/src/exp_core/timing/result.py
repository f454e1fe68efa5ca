"""What a race returns: frozen values that can be asked, printed, stored, and shown in a notebook."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import cast

from exp_core.timing import shown
from exp_core.timing.intervals import LEVEL
from exp_core.timing.isolated import disagrees
from exp_core.timing.pooling import common_rounds, pooled_timing
from exp_core.timing.statistics import noise_floor, ratio_interval
from exp_core.timing.timed import Ratio, Timing
from exp_core.timing.verdict import WITHIN, Verdict, corrected, judge

__all__ = ["Comparison", "Interrupted", "Ratio", "Timing"]


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """One race, or several of the same contestants in fresh processes (``pooled``).

    timings: by name, in the order in which the contestants were given.
    noise_floor: the gap, as a fraction, that one implementation showed when raced against itself under two names
        (``statistics.noise_floor``); None if there was no complete round.  A gap below it ranks nobody.
    rounds: complete rounds.
    seed: of the order of running and of the intervals.
    gaps, gap_groups: what the floor comes from: the logarithm of the gap in each round, and the rounds a process.
    foreign_cores: how many cores other processes used meanwhile; None where the system does not tell.
    beside: by name, those that were timed in the same rounds and rank nowhere.
    """

    timings: Mapping[str, Timing]
    noise_floor: float | None
    rounds: int
    seed: int
    gaps: tuple[float, ...] = ()
    gap_groups: tuple[int, ...] = ()
    foreign_cores: float | None = None
    beside: Mapping[str, Timing] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        timings: Sequence[Timing],
        seed: int,
        gaps: tuple[float, ...],
        foreign_cores: float | None,
        gap_groups: tuple[int, ...] = (),
        beside: Sequence[Timing] = (),
    ) -> Comparison:
        """The comparison that follows from these timings."""
        floor = noise_floor(gaps, seed, gap_groups) if len(gaps) > 1 else None
        rounds = max(len(t.samples) for t in timings)
        named = {t.name: t for t in beside}
        return cls({t.name: t for t in timings}, floor, rounds, seed, gaps, gap_groups, foreign_cores, named)

    @classmethod
    def pooled(cls, comparisons: Sequence[Comparison]) -> Comparison:
        """Several races of the same contestants, each in a fresh process, as one: rounds within processes.

        Raises ValueError for none, or if the contestants differ.
        """
        if not comparisons:
            raise ValueError("there is nothing to pool")
        first = comparisons[0]
        if any(set(c.timings) != set(first.timings) for c in comparisons):
            raise ValueError("only races of the same contestants can be pooled")
        timings = [pooled_timing([c.timings[name] for c in comparisons], first.seed) for name in first.timings]
        known = [c for c in comparisons if c.gaps]
        gaps = tuple(chain.from_iterable(c.gaps for c in known))
        groups = tuple(chain.from_iterable(c.gap_groups or (len(c.gaps),) for c in known))
        cores = [c.foreign_cores for c in comparisons if c.foreign_cores is not None]
        common = [name for name in first.beside if all(name in c.beside for c in comparisons)]
        beside = [pooled_timing([c.beside[name] for c in comparisons], first.seed) for name in common]
        return cls.of(timings, first.seed, gaps, sum(cores) / len(cores) if cores else None, groups, beside)

    def ratio(self, name: str, to: str) -> Ratio | None:
        """Time of ``to`` over time of ``name``: above 1, ``name`` is the faster one.

        The median of the ratios within each round, so that what slows a whole round cancels.  None if one of them
        failed or has no sample.  ``to`` may be one of those beside.  Raises KeyError for a name that was in no round.
        """
        found = self._ratio(name, to, LEVEL)
        if found is None:
            return None
        several = name == to or min(len(self.timings[name].samples), len(self._held_against(to).samples)) > 1
        return Ratio(found[0], found[1:] if several else None)

    def verdict(self, name: str, to: str, within: float = WITHIN) -> Verdict:
        """Whether ``name`` is faster or slower than ``to``, or equivalent within that fraction, or undecided.

        All verdicts of one race hold together with 95% certainty, whichever of its pairs are asked for (``verdict``).
        Raises KeyError for a name that was not in the race, ValueError for a negative fraction.
        """
        if not within >= 0:
            raise ValueError(f"equivalent within {within} means nothing")
        if name == to and self.timings[name].samples:
            return "equivalent"
        level = corrected(LEVEL, sum(bool(t.samples) for t in self.timings.values()))
        found = self._ratio(name, to, level)
        if found is None:
            return "undecided"
        rounds = min(len(self.timings[name].samples), len(self.timings[to].samples))
        return judge(found, self.noise_floor, within, rounds)

    def _ratio(self, name: str, to: str, level: float) -> tuple[float, float, float] | None:
        fast, slow = self.timings[name], self._held_against(to)
        if fast.failure or slow.failure:
            return None
        above, below, groups = common_rounds(slow, fast)
        if not above:
            return None
        return (1.0, 1.0, 1.0) if name == to else ratio_interval(above, below, self.seed, groups, level)

    def _held_against(self, name: str) -> Timing:
        return self.beside[name] if name in self.beside and name not in self.timings else self.timings[name]

    def pays_off_after(self, name: str, against: str) -> float | None:
        """After how many calls ``name`` has taken less time in all than ``against``, first calls included.

        A whole number, at least 1: the first n with $F + (n-1) m <= F' + (n-1) m'$, where F is the first call and m
        the median.  None if that never comes, or not all is known.  Raises KeyError for a name not in the race.
        """
        mine, other = self.timings[name], self.timings[against]
        firsts, medians = (mine.first_call_s, other.first_call_s), (mine.median_s, other.median_s)
        if mine.failure or other.failure or None in firsts or None in medians:
            return None
        ahead = cast("float", firsts[0]) - cast("float", firsts[1])
        gain = cast("float", medians[1]) - cast("float", medians[0])
        if gain <= 0:
            return None
        return float(1 + max(math.ceil(ahead / gain), 0))

    @property
    def disagreements(self) -> tuple[str, ...]:
        """Those whose time alone is not their time in the race (``isolated``)."""
        several, floor = len(self.timings), self.noise_floor
        return tuple(t.name for t in self.timings.values() if disagrees(t.samples, t.isolated, floor, several))

    def fastest(self) -> str | None:
        """The name with the smallest median; None if nobody has one."""
        medians = {t.name: t.median_s for t in self.timings.values() if t.median_s is not None and not t.failure}
        return min(medians, key=medians.__getitem__) if medians else None

    def ranked(self, ratio: Ratio) -> bool:
        """Whether this gap may be called one: its interval leaves out 1, and it is above the noise floor."""
        low, high = ratio.ci95 or (0.0, math.inf)
        floor = 1 + (self.noise_floor or 0.0)
        return not low <= 1 <= high and not 1 / floor <= ratio.value <= floor

    def to_dict(self) -> dict[str, object]:
        """All of it, as JSON can hold it."""
        return {
            "timings": [t.to_dict() for t in self.timings.values()],
            "seed": self.seed,
            "gaps": list(self.gaps),
            "gap_groups": list(self.gap_groups),
            "noise_floor": self.noise_floor,
            "rounds": self.rounds,
            "foreign_cores": self.foreign_cores,
            "beside": [t.to_dict() for t in self.beside.values()],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Comparison:
        """The inverse of ``to_dict``.  Raises KeyError or TypeError for what no ``to_dict`` has returned."""
        fields = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
        timings, beside = (
            {t.name: t for t in map(Timing.from_dict, cast("tuple[Mapping[str, object], ...]", each))}
            for each in (fields.pop("timings"), fields.pop("beside", ()))
        )
        return cls(timings=timings, beside=beside, **fields)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return shown.as_text(self)  # what an interactive session shows of ``compare(...)``

    def _repr_html_(self) -> str:
        from exp_core.report.comparison_html import comparison_html

        return comparison_html(self)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in the middle of a race; ``partial`` holds all complete rounds."""

    def __init__(self, partial: Comparison) -> None:
        super().__init__("interrupted")
        self.partial = partial
