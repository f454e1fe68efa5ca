"""The SQLite file: found, opened, brought up to date, written in transactions."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Self

from exp_core.folders import NoHomeError, data_folder
from exp_core.history import schema
from exp_core.history.connection import connect, patiently, transaction
from exp_core.history.errors import (
    DAMAGED,
    ELSEWHERE,
    NO_ENTRY,
    VARIABLE,
    HistoryError,
    code_of,
    explain,
)
from exp_core.history.files import copy_into

NAME = "history.db"
MEMORY = Path(":memory:")


def database_path() -> Path:
    """Where the history is: in the folder that EXP_CORE_DATA names, else in the platform's folder for user data.

    Raises HistoryError where the user has no home.
    """
    if given := os.environ.get(VARIABLE):
        return Path(given).expanduser().absolute() / NAME
    try:
        return data_folder() / NAME
    except NoHomeError as error:
        raise HistoryError(f"there is no home folder to keep the history in: {ELSEWHERE}") from error


@contextmanager
def to_read() -> Iterator[Database]:
    """The history, to read.  Raises HistoryError, in one sentence, where it cannot be."""
    path = database_path()
    try:
        with Database(path, write=False) as database:
            yield database
    except (sqlite3.Error, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise explain(error, path) from error


class Database:
    """An open database.  Methods raise sqlite3.Error, OSError and HistoryError; ``write=False`` changes no file."""

    def __init__(self, path: Path, *, write: bool, steps: Sequence[schema.Step] | None = None) -> None:
        self.path = path
        self.write = write
        self.steps = schema.MIGRATIONS if steps is None else steps
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = self._connect_to_write() if write else self._connect_to_read()

    def close(self) -> None:
        """The last one to close also empties the write-ahead log."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing: a kill at any moment leaves what was there before, or all that was written."""
        with transaction(self.connection):
            yield self.connection

    def sound(self) -> bool:
        """Whether SQLite finds nothing broken; reads the whole file."""
        try:
            (verdict,) = self.connection.execute("PRAGMA integrity_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            if code_of(error) in DAMAGED:
                return False
            raise
        return bool(verdict == "ok")

    def _connect_to_write(self) -> sqlite3.Connection:
        connection = connect(self.path)
        try:
            version = patiently(lambda: schema.read_version(connection, self.path, len(self.steps)))
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")  # a stored run survives a power failure too
            with suppress(sqlite3.OperationalError):  # another file system, or another process: the journal does too
                connection.execute("PRAGMA journal_mode = WAL")
            if version < len(self.steps):
                with transaction(connection):
                    schema.migrate(connection, self.path, self.steps)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_to_read(self) -> sqlite3.Connection:
        if not self.path.exists():
            return self._in_memory(None)
        connection = connect(self.path, "?mode=ro")
        try:
            if patiently(lambda: schema.read_version(connection, self.path, len(self.steps))) == len(self.steps):
                return connection
            copy = self._in_memory(connection)
        except sqlite3.OperationalError as error:
            connection.close()
            if code_of(error) not in NO_ENTRY:
                raise
            return self._copied()  # a write-ahead log in a folder where even a reader may write nothing
        except BaseException:
            connection.close()
            raise
        connection.close()
        return copy

    def _copied(self) -> sqlite3.Connection:
        with (
            tempfile.TemporaryDirectory(prefix="exp_core") as folder,
            closing(connect(copy_into(Path(folder), self.path))) as source,
        ):
            schema.read_version(source, self.path, len(self.steps))
            return self._in_memory(source)

    def _in_memory(self, source: sqlite3.Connection | None) -> sqlite3.Connection:
        """A copy that may be brought up to date where the file may not be written."""
        memory = sqlite3.connect(":memory:", isolation_level=None)
        if source is not None:
            source.backup(memory)
        with transaction(memory):
            schema.migrate(memory, self.path, self.steps)
        return memory
