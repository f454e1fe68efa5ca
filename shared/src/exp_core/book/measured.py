"""What the history knows about each experiment: its newest ladders, how it grows, and how it changed."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from exp_core.experiment import Experiment
from exp_core.history.database import Database, database_path
from exp_core.history.errors import HistoryError
from exp_core.history.filter import Filter
from exp_core.history.queries import Header, Measurement, headers, measurements, run_by_id
from exp_core.history.run import Run, sizes_key
from exp_core.scaling import Point, Sweep

UNREADABLE = (sqlite3.Error, OSError, HistoryError, ValueError)
LEAST_SIZES = 3  # of an axis: two points are a line whatever the law is
LEAST_SPREAD = 4  # from its smallest to its largest size: below it n and n log n grow alike within a tenth or so
Key = tuple[str, str]  # package and experiment


@dataclass(frozen=True)
class Measured:
    """The history, read once; documents are loaded when a page needs them.

    note: why nothing could be read, in one sentence; empty if all is well.
    """

    path: Path | None
    headers: dict[Key, tuple[Header, ...]] = field(default_factory=dict)
    note: str = ""

    def of(self, key: Key) -> tuple[Header, ...]:
        """The runs of an experiment, the oldest first."""
        return self.headers.get(key, ())

    def ladders(self, key: Key, experiment: Experiment) -> list[Run]:
        """A run of each problem in the experiment's order: whole, at the default sizes, and new, in this order."""
        names = {implementation.name for implementation in experiment.implementations}
        found: list[Header] = []
        for problem in experiment.problems:
            usual = sizes_key({size.name: size.default for size in problem.sizes})

            def worth(header: Header, usual: str = usual) -> tuple[bool, bool, bool, bool, int]:
                whole = names <= set(json.loads(header.names))
                return whole, header.sizes == usual, header.dtype == experiment.dtypes[0], not header.key, header.id

            candidates = [header for header in self.of(key) if header.problem == problem.name]
            found += [max(candidates, key=worth)] if candidates else []
        return self._load(found)

    def sweep(self, key: Key, title: str) -> Sweep | None:
        """The newest runs that differ in one size alone, as the sweep that they are; None if there are too few."""
        groups: dict[tuple[str, str, int, str], dict[str, Header]] = {}
        for header in self.of(key):
            groups.setdefault((header.problem, header.dtype, header.threads, header.machine), {})[header.sizes] = header
        lines = (longest_line(list(group.values())) for group in groups.values())
        found = [line for line in lines if len(line) >= LEAST_SIZES]
        if not found:
            return None
        line = max(found, key=lambda line: (len(line), max(header.id for header in line)))
        runs = self._load(line)
        return as_sweep(runs, title) if len(runs) >= LEAST_SIZES else None

    def over_time(self, key: Key) -> list[Measurement]:
        """Every row of every run of an experiment, the oldest first."""
        if self.path is None or not self.of(key):
            return []
        with suppress(*UNREADABLE), Database(self.path, write=False) as database:
            return measurements(database, Filter(packages=(key[0],), experiment=key[1]))
        return []

    def run(self, number: int) -> Run | None:
        """A stored run; None for one that cannot be read: the others stand."""
        if self.path is None:
            return None
        with suppress(*UNREADABLE), Database(self.path, write=False) as database:
            return run_by_id(database, number)
        return None

    def _load(self, found: Iterable[Header]) -> list[Run]:
        return [run for header in found if (run := self.run(header.id)) is not None]


def read_measured(path: Path | None = None) -> Measured:
    """The user's history, or the one at a path; a history that cannot be read leaves its reason."""
    try:
        path = path or database_path()
        if not path.exists():
            return Measured(None)
        with Database(path, write=False) as database:
            found = headers(database)
    except UNREADABLE as error:
        return Measured(None, note=f"the history cannot be read: {' '.join(str(error).split())}")
    grouped: dict[Key, list[Header]] = {}
    for header in found:
        grouped.setdefault((header.package, header.experiment), []).append(header)
    return Measured(path, {key: tuple(these) for key, these in grouped.items()})


def longest_line(found: Sequence[Header]) -> list[Header]:
    """Of runs at points of a grid those along one axis, the others held: the most that reach far enough."""
    best: list[Header] = []
    for axis in dict.fromkeys(name for header in found for name in header.size):
        lines: dict[object, list[Header]] = {}
        for header in found:
            held = tuple(sorted((name, size) for name, size in header.size.items() if name != axis))
            lines.setdefault(held, []).append(header)
        longest = max(lines.values(), key=len)
        sizes = [header.size.get(axis, 0.0) for header in longest]
        if len(longest) > len(best) and max(sizes) >= LEAST_SPREAD * min(sizes):
            best = sorted(longest, key=lambda header: header.size.get(axis, 0.0))
    return best


def as_sweep(runs: Sequence[Run], title: str) -> Sweep | None:
    """Runs along one axis as a sweep."""
    counts = Counter(name for run in runs for name in run.result.sizes)
    values = {name: sorted({run.result.sizes[name] for run in runs}) for name in counts if counts[name] == len(runs)}
    axes = {name: tuple(sizes) for name, sizes in values.items() if len(sizes) > 1}
    if len(axes) != 1:
        return None
    first = runs[0].result
    return Sweep(
        experiment=first.experiment,
        package=first.package,
        title=title,
        problem=first.problem,
        axes=axes,
        fixed={name: sizes[0] for name, sizes in values.items() if name not in axes},
        dtype=first.dtype,
        seed=first.seed,
        threads=runs[0].threads,
        points=tuple(Point(run.result.sizes, run.result) for run in runs),
    )
