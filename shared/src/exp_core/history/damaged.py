"""A damaged database is set aside, and a new one begun; nothing is deleted."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from exp_core.history.connection import connect
from exp_core.history.database import Database
from exp_core.history.errors import DAMAGED, code_of
from exp_core.history.files import beside


def set_aside(path: Path, date: str) -> Path | None:
    """Rename a damaged database, with its log, and return its new name; None if another process has just mended it.

    Nothing is deleted.  Raises sqlite3.Error if somebody else keeps mending, OSError if it cannot be renamed.
    """
    guard = beside(path, "-mending")
    with closing(connect(guard)) as lock:
        lock.execute("BEGIN EXCLUSIVE")  # the system lets go of it even if this process is killed
        try:
            with Database(path, write=True) as now:
                if now.sound():
                    return None
        except sqlite3.DatabaseError as error:
            if code_of(error) not in DAMAGED:
                raise
        number, aside = 1, path.with_name(f"{path.stem}-damaged-{date}{path.suffix}")
        while aside.exists():
            number += 1
            aside = path.with_name(f"{path.stem}-damaged-{date}-{number}{path.suffix}")
        # the log first: a new database must never meet the log of the old one
        for suffix in ("-wal", "-journal"):
            if beside(path, suffix).exists():
                os.replace(beside(path, suffix), beside(aside, suffix))
        beside(path, "-shm").unlink(missing_ok=True)
        os.replace(path, aside)
        Database(path, write=True).close()
        guard.unlink(missing_ok=True)
    return aside
