"""Asking the history: measurements row by row, and whole runs.

Order is that of dates, and of storing where dates are equal: runs of several machines interleave as they were made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from exp_core.history.database import Database
from exp_core.history.filter import Filter
from exp_core.history.run import Configuration, Run, sizes_key


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of one stored run: times in seconds; None where it was not timed.

    ratio: time of the library over its own time, above 1 for a faster one, with its 95% interval.
    """

    configuration: Configuration
    ci95: tuple[float, float] | None
    ratio_ci95: tuple[float, float] | None
    run: int
    created_at: str
    machine: str
    versions: str
    revision: str | None
    dirty: int | None
    name: str
    rung: str
    device: str
    status: str
    median_s: float | None
    ratio: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Held:
    """How much is stored of one experiment."""

    experiment: str
    package: str
    runs: int
    machines: int
    first: str
    last: str
    last_id: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a stored run is, without what it measured.

    key: empty, or that of a sweep's point.     names: of its rows, as a JSON list.
    """

    id: int
    uuid: str
    created_at: str
    package: str
    experiment: str
    problem: str
    sizes: str
    dtype: str
    threads: int
    machine: str
    key: str
    names: str

    @property
    def size(self) -> dict[str, float]:
        """The sizes by name."""
        return {str(name): float(value) for name, value in json.loads(self.sizes).items()}


def headers(database: Database) -> list[Header]:
    """Every complete run, in the order of storing."""
    query = """SELECT id, uuid, created_at, package, experiment, problem, sizes, dtype, threads, machine, key,
                      (SELECT json_group_array(name) FROM rows WHERE run_id = runs.id)
               FROM runs WHERE NOT interrupted ORDER BY id"""
    return [Header(*found) for found in database.connection.execute(query)]


def measurements(database: Database, asked: Filter) -> list[Measurement]:
    """Every row that is asked for, the oldest first."""
    where, values = asked.run_conditions()
    if asked.device:
        where += " AND device = ?"
        values.append(asked.device)
    if asked.implementations:
        where += f" AND name IN ({', '.join('?' * len(asked.implementations))})"
        values += asked.implementations
    query = f"""SELECT runs.id, created_at, machine, versions, revision, dirty,
                       name, rung, device, status, median_s, ratio_to_library, source,
                       ci_low_s, ci_high_s, ratio_low, ratio_high,
                       package, experiment, problem, sizes, dtype, threads
                FROM runs JOIN rows ON rows.run_id = runs.id
                WHERE {where} ORDER BY created_at, runs.id, place"""
    return [
        Measurement(configuration, _pair(*ends[:2]), _pair(*ends[2:]), *facts)
        for found in database.connection.execute(query, values)
        for facts, ends, configuration in [(found[:13], found[13:17], found[17:])]
        if asked.has_sizes(configuration[3])
    ]


def run_by_id(database: Database, number: int) -> Run | None:
    """The run with this number."""
    return next(_runs(database, "WHERE id = ?", [number]), None)


def newest(database: Database, asked: Filter, before: int | None = None) -> Run | None:
    """The run that was stored last, of those asked for (and stored before the one with this number)."""
    where, values = asked.run_conditions()
    if before is not None:
        where += " AND id < ?"
        values.append(before)
    runs = _runs(database, f"WHERE {where} ORDER BY id DESC", values)
    return next((run for run in runs if asked.has_sizes(sizes_key(run.result.sizes))), None)


def newest_of_each(database: Database, asked: Filter) -> list[Run]:
    """For each configuration the run that was stored last, of those asked for."""
    where, values = asked.run_conditions()
    groups = "package, experiment, problem, sizes, dtype, threads"
    inner = f"SELECT max(id) FROM runs WHERE {where} GROUP BY {groups}"
    runs = _runs(database, f"WHERE id IN ({inner}) ORDER BY id", values)
    return [run for run in runs if asked.has_sizes(sizes_key(run.result.sizes))]


def every(database: Database, asked: Filter) -> Iterator[Run]:
    """All runs asked for, one by one, the oldest first."""
    where, values = asked.run_conditions()
    for run in _runs(database, f"WHERE {where} ORDER BY created_at, id", values):
        if asked.has_sizes(sizes_key(run.result.sizes)):
            yield run


def held(database: Database, packages: Iterable[str]) -> list[Held]:
    """What is stored, an experiment a line, the one that was run last first."""
    where, values = Filter(packages=tuple(packages), complete=False).run_conditions()
    query = f"""SELECT experiment, package, count(*), count(DISTINCT machine), min(created_at), max(created_at), max(id)
                FROM runs WHERE {where} GROUP BY experiment, package ORDER BY max(id) DESC"""
    return [Held(*found) for found in database.connection.execute(query, values)]


def _runs(database: Database, rest: str, values: list[object]) -> Iterator[Run]:
    for number, document in database.connection.execute(f"SELECT id, document FROM runs {rest}", values):
        yield Run.from_json(document, number)


def _pair(low: object, high: object) -> tuple[float, float] | None:
    return (low, high) if isinstance(low, float) and isinstance(high, float) else None
