"""What a process prints: drained, so that it never waits; counted; and only the beginning is kept."""

from __future__ import annotations

import os
import select
import threading
from typing import IO

from exp_core.catalogue import printable

KEPT = 2000  # bytes: a screen's worth
CHUNK = 1 << 16
PIPE = 1 << 20  # bytes: the most that a pipe holds, see pipe(7)
PARTING_S = 1.0


class Printed:
    """The beginning and the amount of what comes out of a pipe, read by a thread until it is closed."""

    def __init__(self, pipe: IO[bytes] | None = None) -> None:
        self.beginning = b""
        self.bytes = 0
        self.pipe = pipe
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._drain, daemon=True) if pipe else None
        if self.thread:
            self.thread.start()

    def _drain(self) -> None:
        while self._waits(None):
            with self.lock:
                if self._waits(0) and not self._take():
                    assert self.pipe is not None
                    self.pipe.close()
                    return

    def settle(self) -> None:
        """Take what waits in the pipe: afterwards all that was printed before is known, even on a busy machine."""
        with self.lock:
            for _ in range(PIPE // CHUNK):
                if self.pipe is None or self.pipe.closed or not self._waits(0) or not self._take():
                    return

    def _waits(self, limit_s: float | None) -> bool:
        """Whether there is something to read, or the end."""
        assert self.pipe is not None
        return bool(select.select([self.pipe], [], [], limit_s)[0])

    def _take(self) -> int:
        """Read once; the number of bytes, 0 at the end."""
        assert self.pipe is not None
        chunk = os.read(self.pipe.fileno(), CHUNK)
        self.bytes += len(chunk)
        self.beginning += chunk[: KEPT - len(self.beginning)]
        return len(chunk)

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
