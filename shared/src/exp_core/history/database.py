"""The SQLite file: found, opened, brought up to date, written in transactions, set aside when it is damaged."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Self, TypeVar

from exp_core.folders import NoHomeError, data_folder
from exp_core.history import schema
from exp_core.history.errors import (
    BUSY,
    DAMAGED,
    ELSEWHERE,
    NO_ENTRY,
    PATIENCE_S,
    VARIABLE,
    HistoryError,
    code_of,
    explain,
)
from exp_core.history.files import beside, copy_into

NAME = "history.db"
MEMORY = Path(":memory:")
Found = TypeVar("Found")


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


def connect(path: Path, options: str = "") -> sqlite3.Connection:
    """A connection that waits for others, and that begins no transaction by itself."""
    return sqlite3.connect(path.absolute().as_uri() + options, uri=True, timeout=PATIENCE_S, isolation_level=None)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that has the right to write from its start, so that nobody can overtake it."""
    patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
    try:
        yield
        patiently(lambda: connection.execute("COMMIT"))
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def patiently(work: Callable[[], Found]) -> Found:
    """Do it, again and again while another process is in the way.

    SQLite's own waiting does not cover the moments in which the log is started or recovered.
    """
    try:
        return work()
    except sqlite3.OperationalError as error:
        if code_of(error) not in BUSY:
            raise
    from exp_core.timing.clock import SYSTEM, Deadline

    deadline = Deadline(PATIENCE_S / 2)
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if code_of(error) not in BUSY or not deadline.left():
                raise
        SYSTEM.sleep(0.05)


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
