"""One line of a ladder: what became of an implementation, law by law, and how fast it was."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from exp_core.experiment import Rung
from exp_core.plain import interval, mapping, nan, number, pair
from exp_core.raced import Raced

Status = Literal["ok", "wrong", "unstable", "skipped", "failed", "impossible"]


@dataclass(frozen=True, slots=True)
class Check:
    """One law: the measured error and the derived bound that it must not exceed."""

    law: str
    error: float
    bound: float

    @property
    def holds(self) -> bool:
        """NaN obeys no law."""
        return self.error <= self.bound

    @property
    def closeness(self) -> float:
        """Error over bound: above 1 the law is broken; a broken law with bound 0, or NaN, counts as infinite."""
        if self.holds:
            return self.error / self.bound if self.bound else 0.0
        return self.error / self.bound if self.bound and math.isfinite(self.error) else math.inf


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """One implementation on one device in one run; None stands for what is not known.

    Times are seconds a call, memory and traffic bytes; ``ratio_to_library`` > 1 means faster than the library.
    ``memory_seen``: whose memory is in ``peak_memory_bytes``, see ``memory.Seen``.
    fraction_ci95: of ``fraction_of_limit``, where the limit was measured in turns with the row; None: it is of the
        machine's record, or there was a single round.
    emulated: its device was not there; it was checked on an emulated one, and never timed.
    status: ``impossible`` is right, but faster than the hardware's limit: an error of the cost or of the peaks that is
        to be explained, and no success; the exit code is about answers, and stays as it is.
    """

    name: str
    rung: Rung | Literal["yours"]
    title: str = ""
    device: str = "cpu"
    threads: int = 1
    status: Status = "skipped"
    reason: str = ""
    checks: tuple[Check, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    first_call_s: float | None = None
    median_s: float | None = None
    ci95: tuple[float, float] | None = None
    ratio_to_library: float | None = None
    ratio_ci95: tuple[float, float] | None = None
    flops: float | None = None
    bytes: float | None = None
    limit_s: float | None = None
    fraction_ci95: tuple[float, float] | None = None
    peak_memory_bytes: float | None = None
    memory_seen: str | None = None
    race: Raced | None = None
    emulated: bool = False

    @property
    def worst(self) -> Check | None:
        """The check closest to its limit: it decides."""
        return max(self.checks, key=lambda check: check.closeness, default=None)

    @property
    def fraction_of_limit(self) -> float | None:
        """The roofline's time over the measured time: 1 is as fast as this machine can be."""
        return self.limit_s / self.median_s if self.limit_s is not None and self.median_s else None

    def __repr__(self) -> str:
        from exp_core.report.words import row_words

        return row_words(self)

    def to_dict(self) -> dict[str, object]:
        """The row as JSON writes it."""
        worst = self.worst
        return {
            "name": self.name,
            "rung": self.rung,
            "title": self.title,
            "status": self.status,
            "reason": self.reason or None,
            "error": number(worst.error) if worst else None,
            "bound": number(worst.bound) if worst else None,
            "errors": {c.law: {"error": number(c.error), "bound": number(c.bound)} for c in self.checks},
            "figures": {name: number(value) for name, value in self.figures.items()},
            "first_call_s": number(self.first_call_s),
            "median_s": number(self.median_s),
            "ci95": interval(self.ci95),
            "ratio_to_library": number(self.ratio_to_library),
            "ratio_ci95": interval(self.ratio_ci95),
            "flops": number(self.flops),
            "bytes": number(self.bytes),
            "limit_s": number(self.limit_s),
            "fraction_of_limit": number(self.fraction_of_limit),
            "fraction_ci95": interval(self.fraction_ci95),
            "threads": self.threads,
            "device": self.device,
            "emulated": self.emulated,
            "peak_memory_bytes": number(self.peak_memory_bytes),
            "memory_seen": self.memory_seen,
            "race": self.race.to_dict() if self.race else None,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> Row:
        """The inverse of ``to_dict``, where JSON's nulls let it be one.  Raises KeyError, TypeError or ValueError."""
        intervals = {"ci95", "ratio_ci95", "fraction_ci95"}
        names = {field.name for field in fields(cls)} - {"checks", "reason", "race"} - intervals
        known = {name: value for name, value in plain.items() if name in names}
        return cls(
            **known,  # type: ignore[arg-type]
            reason=str(plain["reason"] or ""),
            checks=tuple(
                Check(law, nan(check["error"]), nan(check["bound"])) for law, check in mapping(plain["errors"]).items()
            ),
            ci95=pair(plain["ci95"]),
            ratio_ci95=pair(plain["ratio_ci95"]),
            fraction_ci95=pair(plain.get("fraction_ci95")),
            race=Raced.from_dict(plain["race"]) if isinstance(plain.get("race"), Mapping) else None,  # type: ignore[arg-type]
        )
