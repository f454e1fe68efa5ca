"""What a run leaves behind: frozen values, one a row, that every report is made from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Literal

from exp_core.experiment import Rung
from exp_core.raced import Raced

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

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


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """One ladder: all implementations of one experiment on one problem.

        print(r)                          the table; a notebook shows it by itself
        r["householder"]                  one row; ``for row in r`` goes over all
        r.figure()  r.to_pandas()         the times as bars; the rows as a data frame

    cluster: where the ``distributed`` implementations ran, and on how many threads; empty: here, like all others.
    notes: what has to be known to read the numbers right, one sentence each.     processes: those that timed.
    foreign_cores: how many cores other processes used meanwhile; None where the system does not tell.
    """

    experiment: str
    package: str
    title: str
    problem: str
    sizes: Mapping[str, float]
    dtype: str
    seed: int
    rows: tuple[Row, ...]
    noise_floor: float | None = None
    machine: Mapping[str, object] = field(default_factory=dict)
    interrupted: bool = False
    cluster: str = ""
    notes: tuple[str, ...] = ()
    processes: int = 1
    foreign_cores: float | None = None

    @property
    def sizes_text(self) -> str:
        """The sizes for people: ``n = 1024, tolerance = 1e-08``."""
        return ", ".join(f"{name} = {value}" for name, value in self.sizes.items())

    @property
    def limit_notes(self) -> tuple[str, ...]:
        """Whether the machine was another one while this ran than when its limits were measured, in words."""
        limits = self.machine.get("limits")
        notes = limits.get("notes") if isinstance(limits, Mapping) else None
        return tuple(map(str, notes)) if isinstance(notes, list) else ()

    @property
    def exit_code(self) -> int:
        """0 right, 1 an implementation was wrong or failed, 130 interrupted."""
        if self.interrupted:
            return 130
        if any(row.status in ("wrong", "failed") for row in self.rows):
            return 1
        return 0

    @property
    def best(self) -> Row | None:
        """Our fastest right implementation: neither a library nor the user's."""
        right = (row for row in self.rows if row.status == "ok" and row.median_s is not None)
        ours = [row for row in right if row.rung not in ("library", "yours")]
        return min(ours, key=lambda row: row.median_s or math.inf, default=None)

    def label(self, row: Row) -> str:
        """What a row is called here."""
        return label(row, self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __contains__(self, name: object) -> bool:
        return any(name in (self.label(row), row.name) for row in self.rows)

    def __getitem__(self, name: str) -> Row:
        """The row of this name (``"softmax on metal"`` where several devices ran it).  Raises KeyError."""
        found = [row for row in self.rows if name in (self.label(row), row.name)]
        if len(found) == 1:
            return found[0]
        labels = [self.label(row) for row in found or self.rows]
        raise KeyError(f"{'several rows are' if found else 'no row is'} called {name!r}: {', '.join(labels)}")

    def __repr__(self) -> str:
        from exp_core.report.words import result_words

        return result_words(self)

    def __str__(self) -> str:
        from exp_core.report.terminal import as_text, print_result

        return as_text(lambda out: print_result(self, out))

    def _repr_html_(self) -> str:
        from exp_core.report.html import ladder_html

        return ladder_html(self)

    def figure(self, what: Literal["times", "picture", "roofline"] = "times") -> Figure:
        """A matplotlib figure, which a notebook shows: every implementation's time and limit; or what the algorithm
        does, on this input, made again; or the implementations under this machine's limits.

        Raises Missing without matplotlib, Refused where there is nothing to draw.
        """
        from exp_core.report.figures import figure_of

        return figure_of(self, what)

    def to_pandas(self) -> DataFrame:  # type: ignore[no-any-unimported]
        """A pandas.DataFrame: a line a row, with the columns of ``--csv``.  Raises Missing without pandas."""
        from exp_core.report.frame import data_frame

        return data_frame([self])

    def to_dict(self) -> dict[str, object]:
        """The result as JSON writes it: see report/schema.json."""
        return {
            "experiment": self.experiment,
            "package": self.package,
            "title": self.title,
            "problem": self.problem,
            "sizes": dict(self.sizes),
            "dtype": self.dtype,
            "seed": self.seed,
            "noise_floor": number(self.noise_floor),
            "interrupted": self.interrupted,
            "cluster": self.cluster,
            "notes": list(self.notes),
            "processes": self.processes,
            "foreign_cores": number(self.foreign_cores),
            "machine": dict(self.machine),
            "implementations": [row.to_dict() for row in self.rows],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> Result:
        """The inverse of ``to_dict``.  Raises ValueError, in one sentence, for anything that is no result."""
        try:
            names = {field.name for field in fields(cls)} - {"rows", "notes"}
            known = {name: value for name, value in plain.items() if name in names}
            rows = plain["implementations"]
            if not isinstance(rows, list):
                raise TypeError
            notes = tuple(map(str, plain.get("notes", ())))  # type: ignore[call-overload]
            return cls(**known, notes=notes, rows=tuple(Row.from_dict(row) for row in rows))  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"this is no result as our JSON has it: {error}") from error


def label(row: Row, rows: Iterable[Row]) -> str:
    """What a row is called among these: its name; where several of them have it, with the device."""
    same = sum(other.name == row.name for other in rows)
    return row.name if same == 1 else f"{row.name} on {row.device}"


@dataclass(frozen=True, slots=True)
class Score:
    """One line of the scoreboard: our best implementation of an experiment against the library."""

    experiment: str
    best: str | None
    ratio: float | None
    ratio_ci95: tuple[float, float] | None
    fraction_of_limit: float | None
    wrong: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """The score as JSON writes it."""
        return {
            "experiment": self.experiment,
            "best": self.best,
            "ratio_to_library": number(self.ratio),
            "ratio_ci95": interval(self.ratio_ci95),
            "fraction_of_limit": number(self.fraction_of_limit),
            "wrong": list(self.wrong),
        }


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """Every experiment's score, and the geometric mean of the ratios."""

    scores: tuple[Score, ...]

    @property
    def geometric_mean(self) -> float | None:
        """The mean that treats twice as fast and half as fast as opposites; None if no ratio is known."""
        ratios = [score.ratio for score in self.scores if score.ratio]
        return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else None

    def to_dict(self) -> dict[str, object]:
        """The scoreboard as JSON writes it."""
        return {
            "scores": [score.to_dict() for score in self.scores],
            "geometric_mean": number(self.geometric_mean),
        }


def score(result: Result) -> Score:
    """A result's line on the scoreboard."""
    best = result.best
    wrong = tuple(row.name for row in result.rows if row.status in ("wrong", "failed"))
    if best is None:
        return Score(result.experiment, None, None, None, None, wrong)
    return Score(result.experiment, best.name, best.ratio_to_library, best.ratio_ci95, best.fraction_of_limit, wrong)


def number(value: float | None) -> float | None:
    """A finite number, or None: JSON has neither NaN nor infinity."""
    return None if value is None or not math.isfinite(value) else float(value)


def nan(value: object) -> float:
    """The number that JSON had to write as null."""
    return math.nan if value is None else float(value)  # type: ignore[arg-type]


def pair(value: object) -> tuple[float, float] | None:
    """An interval as JSON writes it."""
    if not isinstance(value, list):
        return None
    low, high = value
    return nan(low), nan(high)


def mapping(value: object) -> Mapping[str, Mapping[str, object]]:
    """A dictionary of dictionaries.  Raises TypeError for anything else."""
    if not isinstance(value, Mapping) or not all(isinstance(item, Mapping) for item in value.values()):
        raise TypeError("errors must be a mapping")
    return value


def interval(bounds: tuple[float, float] | None) -> list[float | None] | None:
    """Both ends, or None if there is no interval."""
    return None if bounds is None else [number(end) for end in bounds]
