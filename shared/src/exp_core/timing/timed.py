"""What is known about one contestant after the race."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import cast

from exp_core.timing.hierarchy import split
from exp_core.timing.outliers import Outliers, classify
from exp_core.timing.statistics import median_interval


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one implementation takes.

    first_call_s: seconds of the very first call, compilation and all; None if it raised.
    samples: seconds of one call in each round (the mean of ``calls`` calls made in a row); one that sat out the later
        rounds has fewer; sample r of two contestants always belongs to the same round.
    median_s, ci95: median of the samples and its 95% interval, in seconds; None without a sample, and one sample has
        no interval.
    failure: what it raised, after which it took no further part; empty if nothing.
    groups: how many of the samples each process gave, in order; empty for a single process.  The median is then the
        geometric mean of the processes' medians.
    isolated: seconds of one call in each sample taken alone, after the race; empty where there was no time for it.
    warm_up_calls: calls after the first one, until the times no longer fell.
    busy_cores: how many cores it kept busy while it was timed; None where it is not known.
    in_flight: seconds of one call in each round with many calls in flight; empty where nothing is asynchronous.
    cold: seconds of one call in each round with cold caches; empty where it was not asked for.
    """

    name: str
    first_call_s: float | None
    median_s: float | None
    ci95: tuple[float, float] | None
    samples: tuple[float, ...]
    calls: int
    failure: str = ""
    groups: tuple[int, ...] = ()
    isolated: tuple[float, ...] = ()
    warm_up_calls: int = 0
    busy_cores: float | None = None
    in_flight: tuple[float, ...] = ()
    cold: tuple[float, ...] = ()

    @classmethod
    def of(
        cls,
        name: str,
        first_call_s: float | None,
        samples: tuple[float, ...],
        calls: int,
        failure: str,
        seed: int,
        *,
        groups: tuple[int, ...] = (),
        isolated: tuple[float, ...] = (),
        warm_up_calls: int = 0,
        busy_cores: float | None = None,
        in_flight: tuple[float, ...] = (),
        cold: tuple[float, ...] = (),
    ) -> Timing:
        """The timing that follows from these samples."""
        samples, isolated = tuple(map(float, samples)), tuple(map(float, isolated))  # NumPy's would not be JSON
        rest = (samples, calls, failure, groups, isolated, warm_up_calls, busy_cores, in_flight, cold)
        if not samples:
            return cls(name, first_call_s, None, None, *rest)
        middle, low, high = median_interval(samples, seed, _some(groups))
        return cls(name, first_call_s, middle, (low, high) if len(samples) > 1 else None, *rest)

    @property
    def isolated_s(self) -> float | None:
        """Median seconds of one call when sampled alone; None where there was no time for it."""
        return median(self.isolated) if self.isolated else None

    @property
    def in_flight_s(self) -> float | None:
        """Median seconds a call with many calls in flight; None where nothing is asynchronous."""
        return median(self.in_flight) if self.in_flight else None

    @property
    def cold_s(self) -> float | None:
        """Median seconds of one call with cold caches; None where it was not asked for."""
        return median(self.cold) if self.cold else None

    @property
    def outlier_kinds(self) -> Outliers:
        """The samples that lie far out, by kind, each held against those of its own process."""
        return sum((classify(part) for part in self.by_process()), Outliers())

    @property
    def outliers(self) -> int:
        """How many samples lie far out.  They are all in the samples still."""
        return int(self.outlier_kinds)

    def by_process(self) -> list[Sequence[float]]:
        """The samples of each process."""
        return split(self.samples, self.groups)

    def to_dict(self) -> dict[str, object]:
        """All of it, as JSON can hold it."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Timing:
        """The inverse of ``to_dict``.  Raises TypeError for an unknown or missing field."""
        fields = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
        return cls(**cast("dict[str, str]", fields))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times faster, with its 95% interval; None where there was a single round."""

    value: float
    ci95: tuple[float, float] | None

    def __str__(self) -> str:
        return f"{self.value:.3g} ({f'{self.ci95[0]:.3g} to {self.ci95[1]:.3g}' if self.ci95 else 'a single round'})"


def _some(groups: tuple[int, ...]) -> tuple[int, ...]:
    """The groups that have a sample: a process in which a contestant failed at once has no vote."""
    return tuple(size for size in groups if size)
