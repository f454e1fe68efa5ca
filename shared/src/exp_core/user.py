"""``--with FILE.py:FUNCTION``: the user's own implementation, in its own process with a time and a memory limit.

The process makes the same input for itself (same problem, sizes, dtype and seed) and sends back plain arrays, never
pickles; whatever the function does, prints or breaks there, the ladder stands.  The other side is worker.py.
"""

from __future__ import annotations

import ast
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from exp_core.machine import thread_environment
from exp_core.memory import SEEN, Memory

Places = str | list["Places"]  # where the arrays of a nest are: names, nested as the arrays were
START_S = 60.0  # to start Python, import the user's file and make the input


class UserFunctionError(Exception):
    """What became of the user's function; one sentence."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the worker is told: where the function is, and which input to make."""

    file: str
    function: str
    module: str
    problem: str
    sizes: Mapping[str, float]
    dtype: str
    seed: int
    threads: int
    memory_bytes: int

    def to_json(self) -> str:
        """One line for the worker's standard input."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})


@dataclass
class UserFunction:
    """A function in a user's file, and the process it runs in; also a sampler for ``exp_core.timing.compare``."""

    path: Path
    name: str
    call_limit_s: float = 10.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    busy_s: float = field(default=0.0, repr=False)

    @property
    def key(self) -> str:
        """How the ladder calls it."""
        return f"{self.path.name}:{self.name}"

    def start(self, assignment: Assignment) -> None:
        """Start the process and let it import the file and make the input.  Raises UserFunctionError."""
        environment = os.environ | thread_environment(assignment.threads)
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "exp_core.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self._ask(assignment.to_json(), START_S, "its file was not imported and the input not made")

    def first(self) -> tuple[object, float]:
        """The result of one call and its seconds.  Raises UserFunctionError."""
        reply = self._ask('"call"', self.call_limit_s, "it did not return")
        return decode(self._read_bytes(int(reply["bytes"]))), float(reply["seconds"])

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
        """End the process, however it is."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe:
                    pipe.close()
            self.process = None

    def _ask(self, line: str, limit_s: float, otherwise: str) -> dict[str, float]:
        """Send one line, wait for one: a process that stays silent too long is killed."""
        process = self.process
        assert process is not None and process.stdin is not None and process.stdout is not None
        silent = threading.Event()

        def give_up() -> None:
            silent.set()
            process.kill()

        timer = threading.Timer(limit_s, give_up)
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
            raise UserFunctionError(f"{otherwise} within {limit_s:.0f} s and was stopped; give it more with --budget")
        if not answer:
            raise UserFunctionError(f"its process ended in the middle of the work ({fate(process.wait())})")
        reply = json.loads(answer)
        if "error" in reply:
            raise UserFunctionError(str(reply["error"]))
        return {name: float(value) for name, value in reply.items()}

    def _read_bytes(self, count: int) -> bytes:
        assert self.process is not None and self.process.stdout is not None
        return self.process.stdout.read(count)


def find_user_function(text: str) -> UserFunction:
    """``FILE.py:FUNCTION`` as given on the command line.  Raises ValueError with one sentence if it is not there."""
    file, colon, name = text.rpartition(":")
    if not colon or not file or not name.isidentifier():
        raise ValueError(f"--with takes FILE.py:FUNCTION, such as mine.py:my_sum, not {text!r}")
    path = Path(file)
    try:
        body = ast.parse(path.read_bytes(), filename=file).body
    except OSError as error:
        raise ValueError(f"--with cannot read {file}: {error.strerror}") from error
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"--with cannot read {file} as Python: {error}") from error
    names = _top_level_names(body)
    if name not in names:
        there = f"it defines {', '.join(sorted(names))}" if names else "it defines nothing"
        raise ValueError(f"{file} has no function {name!r}: {there}")
    return UserFunction(path.resolve(), name)


def encode(result: object) -> bytes:
    """A result (an array, a number, or nested tuples of them) without pickling.  Raises TypeError for anything else."""
    arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {}

    def place(value: object) -> Places:
        if isinstance(value, (tuple, list)) and any(isinstance(item, (tuple, list, np.ndarray)) for item in value):
            return [place(item) for item in value]
        array = np.asarray(value)
        if array.dtype == object or array.dtype.kind not in "biufc":
            raise TypeError(f"returned {type(value).__name__}, not a number, an array or a tuple of these")
        arrays[f"a{len(arrays)}"] = array
        return f"a{len(arrays) - 1}"

    shape = json.dumps(place(result))
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, shape=np.frombuffer(shape.encode(), np.uint8), **arrays)
    return file.getvalue()


def decode(data: bytes) -> object:
    """What ``encode`` was given; lists come back as tuples, numbers as arrays without axes."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:

        def take(place: Places) -> object:
            if isinstance(place, list):
                return tuple(take(item) for item in place)
            array = arrays[place]
            return array[()] if array.ndim == 0 else array

        return take(json.loads(bytes(arrays["shape"]).decode()))


def _top_level_names(body: list[ast.stmt]) -> set[str]:
    """What a module defines or imports by name at its top level."""
    names: set[str] = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def fate(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def send(pipe: IO[bytes], reply: Mapping[str, object], data: bytes = b"") -> None:
    """The worker's answer: one line of JSON, then the bytes that it announces."""
    pipe.write(json.dumps(dict(reply)).encode() + b"\n" + data)
    pipe.flush()
