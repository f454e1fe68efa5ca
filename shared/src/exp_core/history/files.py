"""The files that a database consists of."""

from __future__ import annotations

import shutil
from pathlib import Path


def beside(path: Path, suffix: str) -> Path:
    """A file that SQLite keeps next to its database: ``-wal``, ``-shm``, ``-journal``."""
    return path.with_name(path.name + suffix)


def copy_into(folder: Path, path: Path) -> Path:
    """A copy of a database and of its write-ahead log, to be looked at without touching the original.

    Raises OSError.
    """
    copy = folder / path.name
    shutil.copyfile(path, copy)
    if (log := beside(path, "-wal")).exists():
        shutil.copyfile(log, beside(copy, "-wal"))
    return copy
