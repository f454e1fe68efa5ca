"""Putting runs into the history: all of them or none, each once; nothing stored earlier is ever lost."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from exp_core.history.damaged import set_aside
from exp_core.history.database import Database, database_path
from exp_core.history.errors import DAMAGED, HistoryError, code_of, explain
from exp_core.history.rescue import rescue
from exp_core.history.run import Run, seconds_of, sizes_key, stamp
from exp_core.timing.clock import epoch

DAY_S = 24 * 3600.0
WORTH_SAYING_S = 60.0  # a clock that network time corrects goes back by less


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of runs: the number that each has now, how many were there before, and what there is to say."""

    ids: tuple[int, ...]
    known: int = 0
    notes: tuple[str, ...] = ()


def store(runs: Sequence[Run], path: Path | None = None, *, measured_now: bool = True) -> Stored:
    """Store runs; those whose uuid is there already are left as they are.

    measured_now: they come from this machine's clock, which may have been set back since the last one: then a run is
    dated like the one before it, so that dates and the order of storing agree.

    A damaged database is set aside, and what can be read of it taken over.  Raises HistoryError, in one sentence.
    """
    path = path or database_path()
    try:
        try:
            return _insert(path, runs, measured_now)
        except sqlite3.DatabaseError as error:
            if code_of(error) not in DAMAGED:
                raise
        said = _mend(path)
        stored = _insert(path, runs, measured_now)
        return Stored(stored.ids, stored.known, (*said, *stored.notes))
    except (sqlite3.Error, OSError) as error:
        raise explain(error, path) from error


def _insert(path: Path, runs: Iterable[Run], measured_now: bool) -> Stored:
    ids: list[int] = []
    notes: list[str] = []
    known = 0
    with Database(path, write=True) as database, database.transaction() as connection:
        for run in runs:
            found = connection.execute("SELECT id FROM runs WHERE uuid = ?", (run.uuid,)).fetchone()
            if found:
                known += 1
                ids.append(found[0])
                continue
            if measured_now:
                run, note = _after_the_last(connection, run)
                notes += note
            ids.append(_insert_one(connection, run))
    return Stored(tuple(ids), known, tuple(notes))


def _insert_one(connection: sqlite3.Connection, run: Run) -> int:
    result = run.result
    columns: dict[str, object] = {
        "uuid": run.uuid,
        "created_at": run.created_at,
        "package": result.package,
        "experiment": result.experiment,
        "problem": result.problem,
        "sizes": sizes_key(result.sizes),
        "dtype": result.dtype,
        "threads": run.threads,
        "machine": run.machine,
        "versions": json.dumps(dict(run.versions), sort_keys=True),
        "revision": run.revision,
        "dirty": run.dirty,
        "key": run.key,
        "interrupted": result.interrupted,
        "document": run.to_json(),
    }
    marks = ", ".join("?" * len(columns))
    done = connection.execute(f"INSERT INTO runs ({', '.join(columns)}) VALUES ({marks})", tuple(columns.values()))
    number = int(done.lastrowid or 0)
    for place, row in enumerate(result.rows):
        ends = (*(row.ci95 or (None, None)), row.ratio_to_library, *(row.ratio_ci95 or (None, None)))
        connection.execute(
            f"INSERT INTO rows VALUES ({', '.join('?' * 13)})",
            (number, place, row.name, row.rung, row.device, row.status, row.median_s, *ends,
             run.sources.get(row.name, "")),
        )  # fmt: skip
    return number


def _after_the_last(connection: sqlite3.Connection, run: Run) -> tuple[Run, list[str]]:
    """The run dated no earlier than the one that this machine stored before it, and a sentence if that matters.

    Of a clock that jumps by more than a day nobody knows which side is right: then the date is left as it is.
    """
    last = connection.execute(
        "SELECT id, created_at FROM runs WHERE machine = ? ORDER BY id DESC LIMIT 1", (run.machine,)
    ).fetchone()
    back = seconds_of(last[1]) - seconds_of(run.created_at) if last else 0.0
    if back <= 0:
        return run, []
    text = f"the clock was set back since run #{last[0]} was stored"
    if back > DAY_S:
        return run, [f"{text} ({back / DAY_S:.0f} days): compare takes the order of storing, history that of the dates"]
    return run.dated(last[1]), [f"{text}: this run is dated like it"] if back > WORTH_SAYING_S else []


def _mend(path: Path) -> tuple[str, ...]:
    """Set a damaged database aside, and take over what can be read; what to say of it, nothing if others have."""
    aside = set_aside(path, stamp(epoch())[:10])
    if aside is None:
        return ()
    found, lost = rescue(aside)
    try:
        _insert(path, found, False)
    except (sqlite3.Error, OSError, HistoryError) as error:
        return (f"the history was damaged and is kept as {aside}; taking over what it holds failed: {error}",)
    share = (
        f"all {len(found)} runs" if not lost else f"{len(found)} runs could be read and {lost} could not; the former"
    )
    return (f"the history was damaged and is kept as {aside}: {share} were taken over",)
