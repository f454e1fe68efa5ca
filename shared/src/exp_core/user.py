"""``--with FILE.py:FUNCTION``: the user's own implementation, in its own process with a time and a memory limit.

The process makes the same input for itself (the same case) and sends back plain arrays, never pickles; whatever the
function does, prints or breaks there, the ladder stands.  The other side is worker.py.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from exp_core.case import Case
from exp_core.leftovers import TOKEN, end
from exp_core.machine import thread_environment
from exp_core.memory import SEEN, Memory
from exp_core.printed import Printed
from exp_core.wire import decode

START_S = 60.0  # to start Python, import the user's file and make the input
SIGNALS = {  # what usually stands behind a signal that the function did not ask for
    "SIGSEGV": "a read or write outside of an array, or a recursion without end",
    "SIGBUS": "a read or write outside of an array",
    "SIGKILL": "the system ended it, mostly since memory ran out",
    "SIGXCPU": "it used up its processor time",
}


class UserFunctionError(Exception):
    """What became of the user's function; one sentence."""


class TookTooLong(UserFunctionError):
    """It was stopped."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the worker is told first: where the function is, and what it may use."""

    file: str
    function: str
    module: str
    threads: int
    memory_bytes: int

    def to_json(self) -> str:
        """One line for the worker's standard input."""
        return json.dumps({"assignment": {name: getattr(self, name) for name in self.__slots__}})


@dataclass
class UserFunction:
    """A function in a user's file, and the process it runs in; also a sampler for ``exp_core.timing.compare``."""

    path: Path
    name: str
    call_limit_s: float = 10.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    printed: Printed = field(default_factory=Printed, repr=False)
    is_view: bool = field(default=False, repr=False)
    busy_s: float = field(default=0.0, repr=False)
    token: str = field(default="", repr=False)

    @property
    def key(self) -> str:
        """How the ladder calls it."""
        return f"{self.path.name}:{self.name}"

    def start(self, assignment: Assignment, limit_s: float = START_S) -> None:
        """Start the process and let it import the file.  Raises UserFunctionError."""
        self.token = uuid.uuid4().hex
        environment = os.environ | thread_environment(assignment.threads) | {TOKEN: self.token}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "exp_core.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # so that it ends with all that it has started, and Ctrl-C is for us alone
        )
        assert self.process.stderr is not None
        self.printed = Printed(self.process.stderr)
        self._ask(assignment.to_json(), limit_s, "its file was not imported")

    def take(self, case: Case) -> None:
        """Let it make the input of a case.  Raises UserFunctionError."""
        self._ask(case.to_json(), START_S, "the input was not made")

    def first(self) -> tuple[object, float]:
        """The result of one call and its seconds; ``is_view`` then tells whether it lies in the input.

        Raises UserFunctionError.
        """
        try:
            reply = self._ask('"call"', self.call_limit_s, "it did not return")
        finally:
            self.printed.settle()
        self.is_view = bool(reply["view"])
        data = self._read_bytes(int(reply["bytes"]))
        try:
            return decode(data), float(reply["seconds"])
        except (ValueError, TypeError, KeyError) as error:
            raise UserFunctionError(DISTURBED) from error

    def sample(self, calls: int) -> float:
        """Seconds for so many calls.  Raises UserFunctionError."""
        reply = self._ask(json.dumps(calls), self.call_limit_s * calls, "it did not return")
        self.busy_s += reply["busy"]
        return float(reply["seconds"])

    def busy(self) -> float:
        """CPU seconds that its process has spent in samples so far."""
        return self.busy_s

    def memory(self) -> Memory:
        """The memory that a call needs.  Raises UserFunctionError."""
        reply = self._ask('"memory"', 10 * self.call_limit_s, "it did not return")
        return Memory(reply["bytes"], SEEN[int(reply["seen"])])

    def stop(self) -> None:
        """End the process, however it is, and whatever it has left behind."""
        if self.process is not None:
            end(self.process, self.token)
            self.printed.close()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe:
                    try:
                        pipe.close()
                    except OSError:
                        continue  # what was left in it cannot be sent to a process that has ended
            self.process = None

    def _ask(self, line: str, limit_s: float, otherwise: str) -> dict[str, float]:
        """Send one line, wait for one: a process that stays silent too long is ended."""
        process = self.process
        assert process is not None and process.stdin is not None and process.stdout is not None
        silent = threading.Event()

        def give_up() -> None:
            silent.set()
            end(process, self.token)

        timer = threading.Timer(min(limit_s, threading.TIMEOUT_MAX), give_up)
        timer.start()
        try:
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = b""
        finally:
            timer.cancel()
        if silent.is_set():
            raise TookTooLong(f"{otherwise} within {limit_s:.0f} s and was stopped; give it more with --budget")
        if not answer:
            raise UserFunctionError(f"its process ended in the middle of the work ({fate(process.wait())})")
        try:
            reply = dict(json.loads(answer))
            if "error" in reply:
                raise UserFunctionError(str(reply["error"]))
            return {name: float(value) for name, value in reply.items()}
        except (ValueError, TypeError) as error:
            raise UserFunctionError(DISTURBED) from error

    def _read_bytes(self, count: int) -> bytes:
        assert self.process is not None and self.process.stdout is not None
        return self.process.stdout.read(count)


DISTURBED = "it wrote into the channel that its results take: print to standard output instead"


def fate(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"killed by signal {-code}"
    return f"killed by {name}: {SIGNALS[name]}" if name in SIGNALS else f"killed by {name}"
