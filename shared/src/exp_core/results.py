"""What a run leaves behind: a frozen value that every report is made from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Literal

from exp_core.plain import number
from exp_core.row import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


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
        from exp_core.report.console import as_text
        from exp_core.report.terminal import print_result

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
