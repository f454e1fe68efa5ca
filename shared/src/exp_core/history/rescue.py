"""What can still be read of a damaged database: every run whose own pages are sound."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from exp_core.history.connection import connect
from exp_core.history.files import beside, copy_into
from exp_core.history.run import Run

SMALLEST_RUN = 100  # bytes; a document without a single row is longer
LAST_ID = ("SELECT max(id) FROM runs", "SELECT seq FROM sqlite_sequence WHERE name = 'runs'")


def rescue(path: Path) -> tuple[list[Run], int]:
    """The runs that can be read, and how many cannot, as far as that can be told; the file itself stays as it is.

    Each run is asked for by its number: a broken page takes those that lie on it, not those behind it.
    """
    runs: list[Run] = []
    lost = 0
    with (
        tempfile.TemporaryDirectory(prefix="exp_core") as folder,
        closing(connect(copy_into(Path(folder), path))) as connection,
    ):
        most = _size(path) // SMALLEST_RUN  # a broken page may claim any number
        for number in range(1, min(_last(connection), most) + 1):
            try:
                found = connection.execute("SELECT document FROM runs WHERE id = ?", (number,)).fetchone()
                if found is not None:
                    runs.append(Run.from_json(found[0]))
            except (sqlite3.Error, ValueError):
                lost += 1
    return runs, lost


def _size(path: Path) -> int:
    """Bytes of the database and of its log, which may hold runs that have not reached the database."""
    return sum(file.stat().st_size for file in (path, beside(path, "-wal")) if file.exists())


def _last(connection: sqlite3.Connection) -> int:
    """The largest number that was ever given, from either of the places that know it."""
    largest = 0
    for query in LAST_ID:
        with suppress(sqlite3.Error):
            (found,) = connection.execute(query).fetchone() or (None,)
            largest = max(largest, found if isinstance(found, int) else 0)
    return largest
