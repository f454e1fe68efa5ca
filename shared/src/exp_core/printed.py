"""What a process prints: drained, so that it never waits; counted; and only the beginning is kept."""

from __future__ import annotations

import threading
from typing import IO

from exp_core.catalogue import printable

KEPT = 2000  # bytes: a screen's worth
CHUNK = 1 << 16
PARTING_S = 1.0


class Printed:
    """The beginning and the amount of what comes out of a pipe, read by a thread until it is closed."""

    def __init__(self, pipe: IO[bytes] | None = None) -> None:
        self.beginning = b""
        self.bytes = 0
        self.thread = threading.Thread(target=self._drain, args=(pipe,), daemon=True) if pipe else None
        if self.thread:
            self.thread.start()

    def _drain(self, pipe: IO[bytes]) -> None:
        with pipe:
            while chunk := pipe.read1(CHUNK):  # type: ignore[attr-defined]
                self.bytes += len(chunk)
                self.beginning += chunk[: KEPT - len(self.beginning)]

    def close(self) -> None:
        """Wait for the end of the pipe, which comes when its process has ended; not for ever, if somebody keeps it."""
        if self.thread:
            self.thread.join(PARTING_S)

    @property
    def first_line(self) -> str:
        """The first line that says something, fit to be shown; empty if there is none."""
        lines = (line.strip() for line in self.beginning.decode(errors="replace").splitlines())
        return printable(next(filter(None, lines), ""))[:200]

    def __str__(self) -> str:
        """In words: ``it printed 6 bytes, 'hello' first``; empty if nothing was printed."""
        return f"it printed {self.bytes:,} bytes, {self.first_line!r} first" if self.bytes else ""
