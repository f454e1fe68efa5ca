"""The process in which a user's function runs: ``python -m exp_core.worker``, spoken to by user.py.

One line of JSON comes in, one goes out: first the assignment, then ``"call"`` (one call, its result sent back),
``"memory"`` (what a call needs) or a number (so many calls, timed).  What the user's code prints goes nowhere: the pipe
is ours alone.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from exp_core import beneath_mlx
from exp_core.contestants import Call, Contestant, as_numpy, memory_of
from exp_core.experiment import Cost, Experiment, Implementation, Inputs
from exp_core.ladder import checksum, first_sentence
from exp_core.machine import ThreadLimit
from exp_core.memory import SEEN
from exp_core.own import arrays_of
from exp_core.timing import FunctionSampler, call_once
from exp_core.timing.clock import SYSTEM
from exp_core.timing.lazy import evaluated
from exp_core.user import Assignment, encode, send

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Serve until the other side closes the pipe."""
    _end_with_parent()
    beneath_mlx.prepare()
    requests, replies = private_pipes()
    call: Call | None = None
    sampler: FunctionSampler[()] | None = None
    inputs: Inputs = ()
    for line in requests:
        try:
            message = json.loads(line)
            if isinstance(message, dict):
                assignment = Assignment(**message)
                _limit_memory(assignment.memory_bytes)
                call, inputs = _prepare(assignment)
                sampler = FunctionSampler(call, ())
                ThreadLimit(assignment.threads).apply()
                send(replies, {})
            elif call is None or sampler is None:
                send(replies, {"error": "no assignment came first"})
            elif message == "call":
                before = checksum(inputs)
                result, seconds = call_once(evaluated(call))
                if checksum(inputs) != before:
                    send(replies, {"error": "it changed its input"})
                    continue
                data = encode(as_numpy(result))
                send(replies, {"seconds": seconds, "bytes": len(data)}, data)
            elif message == "memory":
                memory = memory_of(call)
                send(replies, {"bytes": memory.bytes, "seen": SEEN.index(memory.seen)})
            else:
                before_s = SYSTEM.busy()
                send(replies, {"seconds": sampler.sample(int(message)), "busy": SYSTEM.busy() - before_s})
        except MemoryError:
            send(replies, {"error": "it ran out of its memory limit"})
        except SystemExit:
            send(replies, {"error": "it called sys.exit"})
        except BaseException as error:  # whatever the user's code raises is an answer, not an accident
            send(replies, {"error": f"{type(error).__name__}: {first_sentence(error)}"})


def _prepare(assignment: Assignment) -> tuple[Call, Inputs]:
    """Import the user's function and make the input that the ladder has."""
    experiment: Experiment = importlib.import_module(assignment.module).EXPERIMENT
    rng = np.random.default_rng(assignment.seed)
    inputs = experiment.problem(assignment.problem).make(**assignment.sizes, dtype=assignment.dtype, rng=rng)
    function = _import_function(Path(assignment.file), assignment.function)
    arrays = arrays_of(experiment)
    theirs = Implementation(function, "textbook", cost=lambda *_: Cost(), bound=lambda *_: 0.0, arrays=arrays)
    return Contestant(theirs).ready(inputs), inputs


def _import_function(path: Path, name: str) -> Callable[..., object]:
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    function = getattr(module, name)
    if not callable(function):
        raise TypeError(f"{name} is not a function")
    found: Callable[..., object] = function
    return found


def private_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Keep the pipes for ourselves: the user's code reads nothing from standard input, and prints into nowhere."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    return requests, replies


def _end_with_parent() -> None:
    """Have Linux kill this process when the program has been: the user's function may never return to notice it.

    Source: prctl(2), PR_SET_PDEATHSIG.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _limit_memory(allowance: int) -> None:
    """Let the address space grow by so many bytes and no more, where the system can enforce it."""
    try:
        import resource

        import psutil

        limit = psutil.Process().memory_info().vms + allowance
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, OSError, ValueError):
        return  # Windows and macOS: the time limit still holds


if __name__ == "__main__":
    main()
