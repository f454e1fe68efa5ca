"""To end a process with all that it has started, even what has left its group: nothing stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator

TOKEN = "EXP_CORE_USER_PROCESS"  # the variable that all descendants inherit, with a value of this process's own
ROUNDS = 5  # looks for descendants that were just being started


def end(process: subprocess.Popen[bytes], token: str) -> None:
    """Kill the process, its group, and every process whose environment has the token."""
    with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):  # it has ended; Windows
        os.killpg(process.pid, signal.SIGKILL)  # a fork that is under way in the group ends with it
    process.kill()
    process.wait()
    for _ in range(ROUNDS):
        left = list(descendants(token))
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            return


def descendants(token: str) -> Iterator[int]:
    """The processes that have inherited the token."""
    import psutil

    for other in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if other.status() != psutil.STATUS_ZOMBIE and other.environ().get(TOKEN) == token:
                yield other.pid
