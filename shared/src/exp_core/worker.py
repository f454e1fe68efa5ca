"""The process in which a user's function runs: ``python -m exp_core.worker``, spoken to by user.py.

One line of JSON comes in, one goes out: first the assignment, then a case (make this input), ``"call"`` (one call, its
result sent back), ``"memory"`` (what a call needs) or a number (so many calls, timed).  What the user's code prints
goes to the other side by a pipe of its own, and so disturbs nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from exp_core import beneath_mlx
from exp_core.case import Case
from exp_core.catalogue import printable
from exp_core.checksum import checksum
from exp_core.contestants import Call, Contestant, memory_of
from exp_core.experiment import Cost, Experiment, Implementation, Inputs
from exp_core.forms import same_memory
from exp_core.machine import ThreadLimit
from exp_core.memory import SEEN
from exp_core.nests import arrays_in, as_numpy
from exp_core.own import arrays_of
from exp_core.refusal import Refused
from exp_core.signature import input_names
from exp_core.timing import FunctionSampler, call_once
from exp_core.timing.clock import SYSTEM
from exp_core.timing.lazy import evaluated
from exp_core.user import Assignment
from exp_core.wire import NoResult, encode, send, told

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LINE = 80  # characters of a line of source that is quoted


class Desk:
    """What lies ready: the user's function, and a call of it on the input of the case in hand."""

    def __init__(self) -> None:
        self.experiment: Experiment | None = None
        self.function: Callable[..., object] | None = None
        self.inputs: Inputs = ()
        self.call: Call | None = None
        self.sampler: FunctionSampler[()] | None = None
        self.file = ""

    def answer(self, message: object) -> tuple[Mapping[str, object], bytes]:
        """Do what a message says; the reply, and the bytes that follow it."""
        if isinstance(message, dict) and "assignment" in message:
            self.begin(Assignment(**message["assignment"]))
            return {}, b""
        if isinstance(message, dict) and "case" in message:
            self.take(Case(**message["case"]))
            return {}, b""
        if self.call is None or self.sampler is None:
            raise Refused("no assignment and no case came first")
        if message == "call":
            return self.judged()
        if message == "memory":
            memory = memory_of(self.call)
            return {"bytes": memory.bytes, "seen": SEEN.index(memory.seen)}, b""
        before_s = SYSTEM.busy()
        seconds = self.sampler.sample(int(str(message)))
        return {"seconds": seconds, "busy": SYSTEM.busy() - before_s}, b""

    def begin(self, assignment: Assignment) -> None:
        """Import the user's function, within its limits."""
        _limit_memory(assignment.memory_bytes)
        self.file = assignment.file
        self.experiment = importlib.import_module(assignment.module).EXPERIMENT
        self.function = import_function(Path(assignment.file), assignment.function)
        ThreadLimit(assignment.threads).apply()

    def take(self, case: Case) -> None:
        """Make the input that the ladder has, and hold it ready."""
        assert self.experiment is not None and self.function is not None
        self.inputs = case.inputs(self.experiment)
        arrays = arrays_of(self.experiment)
        theirs = Implementation(self.function, "textbook", cost=lambda *_: Cost(), bound=lambda *_: 0.0, arrays=arrays)
        self.call = Contestant(theirs).ready(self.inputs)
        self.sampler = FunctionSampler(self.call, ())

    def place(self, error: BaseException) -> str:
        """The last line of the user's own file that an exception came through; empty if it came through none."""
        with contextlib.suppress(Exception):
            for frame in reversed(traceback.extract_tb(error.__traceback__)):
                if frame.filename == self.file:
                    return f" (line {frame.lineno}: {printable(frame.line or '')[:LINE]})"
        return ""

    def judged(self) -> tuple[Mapping[str, object], bytes]:
        """One call, and what only this process can see of it: a changed input, a result that lies in the input."""
        assert self.experiment is not None and self.call is not None
        before = [checksum((value,)) for value in self.inputs]
        result, seconds = call_once(evaluated(self.call))
        names = input_names(self.experiment, self.inputs)
        changed = [
            name for name, value, sum_ in zip(names, self.inputs, before, strict=True) if checksum((value,)) != sum_
        ]
        if changed:
            raise Refused(f"it changed its input {' and '.join(changed)}: work on a copy, {changed[0]}.copy()")
        data = encode(as_numpy(result))
        view = same_memory(result, arrays_in(self.inputs))
        return {"seconds": seconds, "bytes": len(data), "view": view}, data


def main() -> None:
    """Serve until the other side closes the pipe."""
    _end_with_parent()
    beneath_mlx.prepare()
    requests, replies = private_pipes(silent=False)
    ours = [requests.fileno(), replies.fileno()]
    os.register_at_fork(after_in_child=lambda: _close(ours))  # a child that outlives us must not keep them open
    me = os.getpid()
    desk = Desk()
    for line in requests:
        data = b""
        try:
            reply, data = desk.answer(json.loads(line))
        except (Refused, NoResult) as refusal:
            reply = {"error": str(refusal)}
        except MemoryError:
            reply = {"error": "it ran out of its memory limit"}
        except SystemExit:
            reply = {"error": "it called sys.exit"}
        except BaseException as error:  # whatever the user's code raises is an answer, not an accident
            reply = {"error": told(error) + desk.place(error)}
        if os.getpid() != me:
            os._exit(0)  # a child that the function has forked and let return
        send(replies, reply, data)


def import_function(path: Path, name: str) -> Callable[..., object]:
    """The function of that name in the user's file.  Raises whatever the file raises, TypeError if it is none."""
    sys.path.insert(0, str(path.parent))
    module_name = path.stem if path.stem not in sys.modules else f"{path.stem}_of_the_user"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    function = getattr(module, name)
    if not callable(function):
        raise TypeError(f"{name} is not a function")
    found: Callable[..., object] = function
    return found


def private_pipes(*, silent: bool = True) -> tuple[IO[bytes], IO[bytes]]:
    """Keep the pipes for ourselves: other code reads nothing, and prints into nowhere, or else to standard error."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    if silent:
        os.dup2(nowhere, 2)
    os.dup2(2, 1)
    return requests, replies


def _close(descriptors: list[int]) -> None:
    """Once: in a grandchild the same numbers may be files of the user's."""
    while descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptors.pop())


def _end_with_parent() -> None:
    """Have Linux kill this process when the program has been: the user's function may never return to notice it.

    Source: prctl(2), PR_SET_PDEATHSIG.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _limit_memory(allowance: int) -> None:
    """Let the address space grow by so many bytes and no more, where the system can enforce it; no files of a crash."""
    try:
        import resource

        import psutil

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        limit = psutil.Process().memory_info().vms + allowance
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, OSError, ValueError):
        return  # Windows and macOS: the time limit still holds


if __name__ == "__main__":
    main()
