"""The end of one process of a group is the end of all: one sentence, and an exit code that is not 0.

MLX's ring notices when a neighbour is gone, and ``mlx.launch`` sends SIGTERM to those that are left; but each process
would say so in its own words, and ``mlx.launch`` itself ends with 0 whatever has happened (MLX 0.32).  So the first
process to know speaks for all, and ends ``mlx.launch`` too: a shell, or a queue of jobs, must see that it failed.  It
speaks to where ``mlx.launch`` does, since that passes nothing on any more; where the system has no /proc (macOS), the
sentence comes through ``mlx.launch``, and the exit code stays 0.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from exp_core.training.group import GroupError, launcher

PATIENCE_S = 5.0  # for mlx.launch to end


def together(work: Callable[[], int], failed: int, interrupted: int) -> int:
    """What ``work()`` returns; where it cannot go on, the exit code, after one process of the group has said why.

    failed: the exit code for a GroupError; a click.ClickException brings its own.     interrupted: that of Ctrl-C,
    which mlx.launch hears as well: to end it would kill the process that is still saving.
    """
    hush_the_ring()
    signal.signal(signal.SIGTERM, _told_to_end)
    launcher, message = os.getppid(), ""
    try:
        code = work()
    except GroupError as error:
        message, code = str(error), failed
    except click.ClickException as error:
        message, code = error.format_message(), error.exit_code
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if code and code != interrupted:
        with first_to_speak() as first:
            if first and os.getppid() == launcher:  # else one that came before has ended it
                speak(message)
    return code


def _told_to_end(number: int, frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: what follows must not be interrupted
    raise GroupError("another process of this run has died")


def hush_the_ring() -> None:
    """Keep what MLX's threads print about broken sockets away from the terminal; Python's messages go there still."""
    sys.stderr.flush()
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


class first_to_speak(contextlib.AbstractContextManager[bool]):  # noqa: N801  (it reads like a function)
    """Whether this process is the first of those that one mlx.launch has started on this machine; it is by a file."""

    def __init__(self) -> None:
        self.sign: Path | None = Path(tempfile.gettempdir()) / f"exp_core-{launcher_id()}.ended"

    def __enter__(self) -> bool:
        assert self.sign is not None
        try:
            self.sign.touch(exist_ok=False)
        except OSError:
            self.sign = None
        return self.sign is not None

    def __exit__(self, *_: object) -> None:
        if self.sign is not None:
            self.sign.unlink(missing_ok=True)


def launcher_id() -> str:
    """Which process has started this one, and when: numbers of processes come again."""
    import psutil

    parent = os.getppid()
    try:
        return f"{parent}-{psutil.Process(parent).create_time():.0f}"
    except psutil.Error:
        return str(parent)


def speak(message: str) -> None:
    """Print it where mlx.launch prints, and end mlx.launch; if that is not what has started us, only print it."""
    import psutil

    shown = print_beside(message)
    try:
        if shown and (ours := launcher()):
            parent = psutil.Process(ours)
            parent.terminate()
            with contextlib.suppress(psutil.TimeoutExpired):
                parent.wait(PATIENCE_S)  # until it is gone, nobody else may speak
            return
    except psutil.Error:
        pass
    if not shown:
        click.echo(message, err=True, nl=bool(message))


def print_beside(message: str) -> bool:
    """Print it where mlx.launch prints, which passes nothing on any more; False if that cannot be reached."""
    try:
        if not (ours := launcher()):
            return False
        # appended: where it is a file, mlx.launch has written to it before
        terminal = os.open(f"/proc/{ours}/fd/2", os.O_WRONLY | os.O_APPEND)
        with os.fdopen(terminal, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{message}\n" if message else "")
    except OSError:
        return False
    return True
