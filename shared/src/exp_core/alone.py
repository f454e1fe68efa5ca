"""One process at a time, by a lock that the operating system takes back from whoever dies."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from exp_core.timing.clock import SYSTEM

PAUSE_S = 0.05  # between two tries


@contextlib.contextmanager
def alone(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Inside, no other process is that asks for the same file, which is made; where no lock can be had, none waits.

    waiting: called between two tries; what it raises ends the waiting.
    """
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(path.open("w"))
        except OSError:  # a folder that is read-only
            pass
        else:
            while not _locked(file):
                waiting()
                SYSTEM.sleep(PAUSE_S)
        yield  # closing the file ends it


def _locked(file: IO[str]) -> bool:
    """Whether it is ours now, or nobody's to have: the system, or the file system, knows no locks."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (OSError, ModuleNotFoundError):
        return True
    return True
