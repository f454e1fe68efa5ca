"""The history as a sweep's shelf: a point that is finished is stored at once, and never measured twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from exp_core.history.database import Database, database_path
from exp_core.history.errors import HistoryError
from exp_core.history.run import Run
from exp_core.history.store import store
from exp_core.results import Result


class HistoryShelf:
    """A shelf (``exp_core.scaling.Shelf``) that cannot fail: without its database it says why, and does without.

    record: makes the run that is stored from a point's result and key.
    notes: what there is to say afterwards, once each.
    """

    def __init__(self, record: Callable[[Result, str], Run], path: Path | None = None) -> None:
        self.record = record
        self.path = path
        self.notes: list[str] = []
        self.readable = self.writable = True

    def find(self, key: str) -> Result | None:
        """The newest complete result stored under this key."""
        if not self.readable:
            return None
        try:
            with Database(self.path or database_path(), write=False) as database:
                found = database.connection.execute(
                    "SELECT document FROM runs WHERE key = ? AND NOT interrupted ORDER BY id DESC LIMIT 1", (key,)
                ).fetchone()
            return Run.from_json(found[0]).result if found else None
        except (sqlite3.Error, OSError, HistoryError, ValueError):
            self.readable = False  # what cannot be read is measured again; ``add`` will say what is wrong
            return None

    def add(self, key: str, result: Result) -> None:
        """Store it; the first failure is noted, and is the last attempt: nobody waits for a lock at every point."""
        if not self.writable:
            return
        try:
            self.notes += store([self.record(result, key)], self.path).notes
        except Exception as error:  # whatever it is: the sweep goes on
            self.writable = False
            self.notes.append(f"not stored: {' '.join(str(error).split())}")
