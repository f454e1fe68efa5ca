"""The history as JSON lines: a run a line, to be carried to another machine, merged, or kept."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from exp_core.history.errors import HistoryError
from exp_core.history.rescue import rescue
from exp_core.history.run import Run

SQLITE = b"SQLite format 3\0"  # how a database begins: https://www.sqlite.org/fileformat.html


def lines(runs: Iterable[Run]) -> Iterator[str]:
    """A line a run."""
    for run in runs:
        yield run.to_json() + "\n"


def read_lines(text: Iterable[str], name: str) -> list[Run]:
    """The runs of an export.  Raises HistoryError, which names the line, for anything else: then nothing is taken."""
    runs: list[Run] = []
    for number, line in enumerate(text, 1):
        if not line.strip():
            continue
        try:
            runs.append(Run.from_json(line))
        except ValueError as error:
            raise HistoryError(f"{name}, line {number}: {error}") from error
    return runs


def read_export(name: str) -> list[Run]:
    """The runs of an export in a file of this name, or those that can be read of a database that was set aside.

    "-" is standard input.  Raises HistoryError.
    """
    source = "standard input" if name == "-" else name
    try:
        return read_lines(sys.stdin, source) if name == "-" else _of_file(Path(name))
    except (OSError, UnicodeError) as error:
        said = (error.strerror or error) if isinstance(error, OSError) else "it is not UTF-8 text"
        raise HistoryError(f"{source} cannot be read: {said}") from error


def _of_file(path: Path) -> list[Run]:
    with path.open("rb") as file:
        database = file.read(len(SQLITE)) == SQLITE
    if database:
        return rescue(path)[0]
    with path.open(encoding="utf-8") as text:
        return read_lines(text, str(path))
