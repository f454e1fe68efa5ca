"""To wait until a file is saved, however an editor does that: in place, or aside and renamed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from exp_core.timing.clock import SYSTEM, Clock

PAUSE_S = 0.2  # between two looks: nobody waits for it, and it costs nothing


@dataclass
class Watched:
    """A file, and what was in it when it was last looked at.  An absent file is one that is just being replaced."""

    path: Path
    clock: Clock = SYSTEM
    seen: str = ""

    def __post_init__(self) -> None:
        self.seen = self.content()

    def content(self) -> str:
        """A name for what is in the file; empty where there is none to be read."""
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError:
            return ""

    def changed(self) -> bool:
        """Whether something else is in it than when it was last waited for."""
        return self.content() not in ("", self.seen)

    def wait(self) -> None:
        """Until it has changed, and then stays the same for a pause: nobody is still writing."""
        while not self.changed():
            self.clock.sleep(PAUSE_S)
        before = ""
        while (now := self.content()) != before or not now:
            before = now
            self.clock.sleep(PAUSE_S)
        self.seen = now
