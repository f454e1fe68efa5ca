"""What the race knows about one row beyond its time: how sure that is, and under which other conditions it was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, cast

Verdict = Literal["faster", "slower", "equivalent", "undecided"]


@dataclass(frozen=True, slots=True)
class Raced:
    """None stands for what is not known.  Times are seconds a call.

    verdict: against the fastest right library row of the same device; None for that row itself, or without one.
    pays_off_after: how many calls it takes until, with the first one, less time has passed in all than with
        ``pays_off_against``: the fastest row that needs no compilation.
    samples: one a round, in order; all of them.     calls: calls in one sample.
    warm_up_calls: calls after the first one, until the times no longer fell.
    outliers: how many samples lie far out, by kind (``timing.Outliers``).
    isolated_s: when sampled alone, nobody between.     busy_cores: how many cores it kept busy while it was timed.
    in_flight_s: with many calls in flight on an asynchronous device: the time of the row itself is the latency.
    cold_s: with cold caches.
    """

    verdict: Verdict | None = None
    pays_off_after: float | None = None
    pays_off_against: str | None = None
    samples: tuple[float, ...] = ()
    calls: int = 1
    warm_up_calls: int = 0
    outliers: Mapping[str, int] = field(default_factory=dict)
    isolated_s: float | None = None
    busy_cores: float | None = None
    in_flight_s: float | None = None
    cold_s: float | None = None

    def to_dict(self) -> dict[str, object]:
        """All of it, as JSON can hold it."""
        return asdict(self) | {"samples": list(self.samples)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> Raced:
        """The inverse of ``to_dict``.  Raises KeyError or TypeError."""
        return cls(**(dict(plain) | {"samples": tuple(cast("list[float]", plain["samples"]))}))  # type: ignore[arg-type]
