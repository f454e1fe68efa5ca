"""What can go wrong with a stored history, each in one sentence with its remedy."""

from __future__ import annotations

import sqlite3
from pathlib import Path

VARIABLE = "EXP_CORE_DATA"
ELSEWHERE = f"set {VARIABLE} to a folder that can be written"
PATIENCE_S = 5.0  # how long to wait for another process before giving up

# Primary result codes.  Source: SQLite's documentation, "Result and Error Codes".
BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
NO_ENTRY = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})


class HistoryError(Exception):
    """The history cannot do what was asked; the message is one sentence with the remedy."""


def code_of(error: sqlite3.Error) -> int:
    """SQLite's primary result code; SQLITE_ERROR where Python itself raised."""
    code: object = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else sqlite3.SQLITE_ERROR


def explain(error: sqlite3.Error | OSError, path: Path) -> HistoryError:
    """The sentence for what SQLite or the system says about the database at this path."""
    if isinstance(error, OSError):
        return HistoryError(f"the history {path} cannot be used ({error.strerror or error}): {ELSEWHERE}")
    code = code_of(error)
    if code in BUSY:
        what = f"is in use by another process for more than {PATIENCE_S:g} s: try again when that one is done"
    elif code == sqlite3.SQLITE_FULL:
        what = f"cannot grow, the disk is full (what it holds is safe): make room, or {ELSEWHERE}"
    elif code in NO_ENTRY:
        what = f"or its folder cannot be opened for writing: {ELSEWHERE}"
    elif code in DAMAGED:
        what = "is damaged: the next run that is stored sets it aside, and takes over what can still be read"
    else:
        what = f"cannot be used ({error}): {ELSEWHERE}"
    return HistoryError(f"the history {path} {what}")
