"""The tables, and how a database of an older version is brought to this one.

``MIGRATIONS[v]`` turns version v into version v + 1; version 0 is an empty file.  A released step is never changed:
a new version is a new step at the end.  Every step runs inside the transaction that also raises ``user_version``, so
that a kill leaves the old version or the new one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from exp_core.history.errors import VARIABLE, HistoryError

APPLICATION = 0x45585043  # "EXPC": says whose database this is

# The document is the whole run, as ``history --export`` writes it; the other columns and table are what queries
# need of it, and can be made from it again.  ``id`` is the order of storing (a clock can be set back, an id cannot).
# STRICT tables would need SQLite 3.37, which Python need not have.
TABLES = (
    """CREATE TABLE runs (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        uuid        TEXT NOT NULL UNIQUE,
        created_at  TEXT NOT NULL,                 -- ISO 8601 in UTC with six decimals: sorts as time does
        package     TEXT NOT NULL,
        experiment  TEXT NOT NULL,
        problem     TEXT NOT NULL,
        sizes       TEXT NOT NULL,                 -- JSON, keys sorted: equal sizes are equal texts
        dtype       TEXT NOT NULL,
        threads     INTEGER NOT NULL,
        machine     TEXT NOT NULL,                 -- fingerprint
        versions    TEXT NOT NULL,                 -- JSON
        revision    TEXT,                          -- git commit of the sources; NULL outside git
        dirty       INTEGER,                       -- 1: the sources differ from that commit
        key         TEXT NOT NULL,                 -- whatever the one who stores it wants to find it by
        interrupted INTEGER NOT NULL,
        document    TEXT NOT NULL                  -- JSON
    )""",
    """CREATE TABLE rows (
        run_id            INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        place             INTEGER NOT NULL,        -- in the ladder
        name              TEXT NOT NULL,
        rung              TEXT NOT NULL,
        device            TEXT NOT NULL,
        status            TEXT NOT NULL,
        median_s          REAL,
        ci_low_s          REAL,
        ci_high_s         REAL,
        ratio_to_library  REAL,
        ratio_low         REAL,
        ratio_high        REAL,
        source            TEXT NOT NULL,           -- hash of the implementation's source; empty: not known
        PRIMARY KEY (run_id, place)
    ) WITHOUT ROWID""",
    "CREATE INDEX runs_by_experiment ON runs (experiment, id)",
    "CREATE INDEX runs_by_key ON runs (key, machine, id) WHERE key <> ''",
    "CREATE INDEX runs_by_revision ON runs (revision, id)",
)

Step = Callable[[sqlite3.Connection], None]


def create(connection: sqlite3.Connection) -> None:
    """Version 0 to 1."""
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    for statement in TABLES:
        connection.execute(statement)


MIGRATIONS: tuple[Step, ...] = (create,)


def read_version(connection: sqlite3.Connection, path: Path, known: int) -> int:
    """The version of a database; 0 for an empty one; seen at one moment, for another program may make it now.

    Raises HistoryError for one that is newer than this program, or another program's: both are left alone.
    """
    connection.execute("SAVEPOINT look")
    try:
        (owner,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    finally:
        connection.execute("RELEASE look")
    if owner != APPLICATION:
        if owner or version or tables:
            raise HistoryError(f"{path} is another program's database and is left alone: set {VARIABLE} elsewhere")
        return 0
    if version > known:
        raise HistoryError(
            f"the history {path} was written by a newer version (schema {version}, known here is {known}) and is left "
            f"alone: update the packages, or set {VARIABLE} to another folder"
        )
    return int(version)


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[Step]) -> None:
    """Bring the database to this version; inside a transaction, so that two programs do not both do it."""
    version = read_version(connection, path, len(steps))
    for step in steps[version:]:
        step(connection)
    connection.execute(f"PRAGMA user_version = {len(steps)}")
