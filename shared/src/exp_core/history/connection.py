"""Connections to SQLite that wait for other processes, and transactions that nobody overtakes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from exp_core.history.errors import BUSY, PATIENCE_S, code_of

Found = TypeVar("Found")


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
