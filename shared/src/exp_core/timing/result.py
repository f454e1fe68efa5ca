"""What a race returns: frozen values that can be asked, printed, and shown in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exp_core.timing.statistics import median_interval, ratio_interval
from exp_core.timing.table import html_table, plain_table, seconds_text


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one implementation takes.

    first_call_s: seconds of the very first call, compilation and all; None if it raised.
    samples: seconds of one call in each round (the mean of ``calls`` calls made in a row); one that sat out the later
        rounds has fewer; sample r of two contestants always belongs to the same round.
    median_s, ci95: median of the samples and its 95% interval, in seconds; None without a sample.
    failure: what it raised, after which it took no further part; empty if nothing.
    """

    name: str
    first_call_s: float | None
    median_s: float | None
    ci95: tuple[float, float] | None
    samples: tuple[float, ...]
    calls: int
    failure: str = ""

    @classmethod
    def of(
        cls, name: str, first_call_s: float | None, samples: tuple[float, ...], calls: int, failure: str, seed: int
    ) -> Timing:
        """The timing that follows from these samples."""
        if not samples:
            return cls(name, first_call_s, None, None, samples, calls, failure)
        median, low, high = median_interval(samples, seed)
        return cls(name, first_call_s, median, (low, high), samples, calls, failure)


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times faster, with its 95% interval."""

    value: float
    ci95: tuple[float, float]

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.ci95[0]:.3g} to {self.ci95[1]:.3g})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One race.

    timings: by name, in the order in which the contestants were given.
    noise_floor: the gap, as a fraction, that one implementation showed when raced against itself under two names
        (``statistics.noise_floor``); None if there was no complete round.  A gap below it ranks nobody.
    rounds: complete rounds.
    seed: of the order of running and of the intervals.
    """

    timings: Mapping[str, Timing]
    noise_floor: float | None
    rounds: int
    seed: int

    def ratio(self, name: str, to: str) -> Ratio | None:
        """Time of ``to`` over time of ``name``: above 1, ``name`` is the faster one.

        The median of the ratios within each round, so that what slows a whole round cancels.  None if one of them
        failed or has no sample.  Raises KeyError for a name that was not in the race.
        """
        fast, slow = self.timings[name], self.timings[to]
        if fast.failure or slow.failure or not (fast.samples and slow.samples):
            return None
        if name == to:
            return Ratio(1.0, (1.0, 1.0))
        value, low, high = ratio_interval(slow.samples, fast.samples, self.seed)
        return Ratio(value, (low, high))

    def fastest(self) -> str | None:
        """The name with the smallest median; None if nobody has one."""
        medians = {t.name: t.median_s for t in self.timings.values() if t.median_s is not None and not t.failure}
        return min(medians, key=medians.__getitem__) if medians else None

    def ranked(self, ratio: Ratio) -> bool:
        """Whether this gap may be called one: its interval leaves out 1, and it is above the noise floor."""
        low, high = ratio.ci95
        floor = 1 + (self.noise_floor or 0.0)
        return not low <= 1 <= high and not 1 / floor <= ratio.value <= floor

    def __str__(self) -> str:
        return plain_table(HEADINGS, self._rows()) + "\n" + self._note()

    def _repr_html_(self) -> str:
        return html_table(HEADINGS, self._rows(), self._note())

    def _rows(self) -> list[tuple[str, ...]]:
        best = self.fastest()
        return [self._row(timing, best) for timing in self.timings.values()]

    def _row(self, timing: Timing, best: str | None) -> tuple[str, ...]:
        first = seconds_text(timing.first_call_s)
        if timing.failure:
            return timing.name, "failed", timing.failure, "", first, ""
        low, high = timing.ci95 or (None, None)
        ratio = self.ratio(best, to=timing.name) if best else None
        behind = (
            "" if ratio is None else f"{ratio.value:.3g}" + ("" if self.ranked(ratio) or timing.name == best else " ~")
        )
        return (
            timing.name,
            seconds_text(timing.median_s),
            f"{seconds_text(low)} to {seconds_text(high)}",
            behind,
            first,
            f"{len(timing.samples)} x {timing.calls}",
        )

    def _note(self) -> str:
        floor = "not known" if self.noise_floor is None else f"{100 * self.noise_floor:.2g}%"
        return f"noise floor {floor}; ~ is not told apart from the fastest"


HEADINGS = ("", "a call", "95% interval", "times the fastest", "first call", "samples x calls")


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in the middle of a race; ``partial`` holds all complete rounds."""

    def __init__(self, partial: Comparison) -> None:
        super().__init__("interrupted")
        self.partial = partial
