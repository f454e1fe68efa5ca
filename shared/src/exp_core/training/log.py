"""The log: a CSV file with a line a step, in step with the checkpoint whatever happens in between."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from exp_core.training.checkpoint import LOG, CheckpointError


@dataclass(frozen=True)
class Line:
    """One step: its number, the loss before its update, and the figures where they were looked at after it."""

    step: int
    loss: float
    figures: Mapping[str, float]


class Log:
    """A log being written.  ``figures``: the names of the columns beside step and loss."""

    def __init__(self, folder: Path, figures: Iterable[str]) -> None:
        self.path = folder / LOG
        self.figures = tuple(figures)

    def begin(self, keep: Sequence[Line] = ()) -> None:
        """Start it, or cut it back to the lines before a checkpoint; whole or not at all.  Raises CheckpointError."""
        temporary = None
        try:
            handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix="log", suffix=".tmp")
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(self._text([("step", "loss", *self.figures)]) + self._text(map(self._cells, keep)))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except OSError as error:
            with suppress(OSError):
                if temporary:
                    os.unlink(temporary)
            raise CheckpointError(f"the log {self.path} could not be written: {error.strerror or error}") from error

    def append(self, lines: Sequence[Line]) -> None:
        """Write lines at the end, through to the disk.  Raises CheckpointError."""
        try:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(self._text(map(self._cells, lines)))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CheckpointError(f"the log {self.path} could not be written: {error.strerror or error}") from error

    def _cells(self, line: Line) -> tuple[str, ...]:
        known = [repr(line.figures[name]) if name in line.figures else "" for name in self.figures]
        return (str(line.step), repr(line.loss), *known)

    @staticmethod
    def _text(rows: object) -> str:
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(rows)  # type: ignore[arg-type]
        return out.getvalue()


def read_log(folder: Path, before: int) -> list[Line]:
    """The lines of the first ``before`` steps; a last line that was cut short, and what is no log, are left out."""
    try:
        rows = list(csv.DictReader((folder / LOG).open(encoding="utf-8", newline="")))
    except (OSError, UnicodeDecodeError, csv.Error):
        return []
    lines = []
    for row in rows:
        try:
            figures = {k: float(v) for k, v in row.items() if k not in ("step", "loss") and v}
            line = Line(int(row["step"]), float(row["loss"]), figures)
        except (KeyError, TypeError, ValueError):
            continue
        if line.step <= before:
            lines.append(line)
    return lines
