"""The programs as a user starts them: in a process of their own, in surroundings as bad as a test makes them."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

QUICK = ("summation", "--n", "100", "--only", "naive,kahan,numpy_sum", "--budget", "0.05")
LADDER = ("maths_exp", *QUICK)
TRAIN = ("dl_exp", "autograd", "--only", "tensor_tape_engine", "--steps", "40")
LIMIT_S = 120  # beyond it a process hangs
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")

# A sitecustomize module for the process: peaks are made up, since measuring them takes seconds of every core.
MADE_UP_PEAKS = """
import importlib.abc, importlib.machinery, sys
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "exp_core.machine.cache":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module
        def exec_module(module):
            load(module)
            from exp_core.machine.roofline import Bandwidth, Peaks
            made_up = Peaks(1, {"float64": 1e12, "float32": 2e12}, (Bandwidth(1e6, 1e12, 1e12, 1e12),), "compiled")
            module._remembered = lambda *_: made_up
        spec.loader.exec_module = exec_module
        return spec
sys.meta_path.insert(0, Finder())
"""


@dataclass(frozen=True)
class Done:
    """How a process ended."""

    code: int
    out: str
    err: str


def environment(changes: Mapping[str, str | None], custom: str = "") -> dict[str, str]:
    """The environment with some variables changed or taken away.  custom: a folder with a sitecustomize module."""
    found = os.environ | {"PYTHONIOENCODING": "utf-8"}
    for name, value in changes.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = value
    if custom:
        found["PYTHONPATH"] = os.pathsep.join([custom, *filter(None, sys.path)])
    return found


def run(
    *words: str,
    custom: str | Path = "",
    before: Callable[[], None] | None = None,
    cwd: Path | None = None,
    **changes: str | None,
) -> Done:
    """``python -m`` these words, to its end.  before: called in the new process first."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        capture_output=True, env=environment(changes, str(custom)), preexec_fn=before, cwd=cwd, check=False,
        stdin=subprocess.DEVNULL, timeout=LIMIT_S,
    )  # fmt: skip
    return Done(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def shell(script: str, *, cwd: Path | None = None, custom: str | Path = "", **changes: str | None) -> Done:
    """A script for bash in which ``$PY`` is this Python."""
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True, env=environment({"PY": sys.executable} | changes, str(custom)), cwd=cwd, check=False,
        stdin=subprocess.DEVNULL, timeout=LIMIT_S,
    )  # fmt: skip
    return Done(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def also(*values: object) -> list[object]:
    """Further cases of a test, of a kind that is tried always already: behind ``slow``."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def one_sentence(text: str) -> bool:
    """A single line that names the program, and no traceback."""
    return len(text.splitlines()) == 1 and text.startswith(("maths_exp: ", "dl_exp: ")) and "Traceback" not in text


def _hear_hang_ups() -> None:
    """As at a terminal, even when the tests themselves run under nohup: what ignores SIGHUP starts what ignores it."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class OnTerminal:
    """A process whose standard error, or everything, is a terminal; what it shows can be waited for."""

    def __init__(self, words: tuple[str, ...], *, out: bool = False, custom: str | Path = "", **changes: str) -> None:
        import pty

        self.ours, theirs = pty.openpty()
        self.heard = ""
        given = environment({"TERM": "xterm", "COLUMNS": "160", "NO_COLOR": "1"} | changes, str(custom))
        self.process = subprocess.Popen(
            [sys.executable, "-m", *words],
            stdin=subprocess.DEVNULL, stdout=theirs if out else subprocess.PIPE, stderr=theirs, env=given,
            start_new_session=True, preexec_fn=_hear_hang_ups,
        )  # fmt: skip
        os.close(theirs)

    def wait_for(self, pattern: str) -> bool:
        """Read until the terminal has shown what is waited for; False if the process ended, or hangs, without it."""
        while not re.search(pattern, ESCAPE.sub("", self.heard)):
            if not select.select([self.ours], [], [], LIMIT_S)[0]:
                return False
            try:
                chunk = os.read(self.ours, 65536)
            except OSError:  # Linux says so when the other end is closed
                return False
            if not chunk:
                return False
            self.heard += chunk.decode("utf-8", "replace")
        return True

    def end(self) -> Done:
        """Read the rest, and see how it ended."""
        out, _ = self.process.communicate(timeout=LIMIT_S) if self.process.stdout else (b"", b"")
        with contextlib.suppress(OSError):
            while chunk := os.read(self.ours, 65536):
                self.heard += chunk.decode("utf-8", "replace")
        os.close(self.ours)
        code = self.process.wait(LIMIT_S)
        return Done(code, out.decode("utf-8", "replace"), self.heard)

    @property
    def cursor_shown(self) -> bool:
        """Whether a cursor that was hidden has been shown again."""
        return self.heard.rfind("\x1b[?25h") >= self.heard.rfind("\x1b[?25l")
