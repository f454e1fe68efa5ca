"""``--processes N``: the same race in N fresh processes, one after the other; the parent has checked, they only time.

What differs from one process to the next (where its memory lies, the order in which its code was loaded) stays as it is
for as long as a process lives, so that no number of rounds in one averages it out.  The other side is racer.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace

from exp_core.machine import Rate, thread_environment
from exp_core.request import Request, describe_request
from exp_core.timing import Comparison
from exp_core.user import START_S, fate

PARTING_S = 5.0  # that an interrupted process has to send what is complete


@dataclass
class Replicas:
    """What the processes have sent so far.  failures: what became of the others, one sentence each."""

    comparisons: list[Comparison] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    interrupted: bool = False

    def pooled(self) -> Comparison | None:
        """All races as one; None if there is none."""
        return Comparison.pooled(self.comparisons) if self.comparisons else None


def race_in_processes(
    request: Request,
    first_calls: Mapping[str, float],
    progress: Callable[[float], None],
    rates: Collection[Rate] = (),
) -> Replicas:
    """Race those of the request whose first calls are known, each process with an equal share of the budget.

    rates: what the rows are held against, in turns with them.

    A process that fails is a sentence, and the others stand.  Ctrl-C ends it with the rounds that are complete.
    """
    found = Replicas()
    share = replace(request, budget_s=request.budget_s / request.processes)
    for number in range(request.processes):
        order = {
            "request": describe_request(share),
            "first_calls": dict(first_calls),
            "rates": [asdict(rate) for rate in rates],
            "number": number,
        }
        with _started(request.threads) as process:
            try:
                for reply in _replies(process, json.dumps(order), START_S + share.budget_s):
                    if "progress" in reply:
                        progress((number + float(str(reply["progress"]))) / request.processes)
                    else:
                        _take(reply, found, f"process {number + 1} of {request.processes}")
            except KeyboardInterrupt:
                found.interrupted = True
                _part(process, found)
        if found.interrupted:
            break
    return found


@contextlib.contextmanager
def _started(threads: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process with pipes, in a session of its own: Ctrl-C comes to us, and we say what it is to do."""
    environment = os.environ | thread_environment(threads)
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-m", "exp_core.racer"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _replies(process: subprocess.Popen[bytes], order: str, silence_s: float) -> Iterator[Mapping[str, object]]:
    """Send the order, and yield every reply; one that stays silent too long is killed.  The last may be an error."""
    assert process.stdin is not None and process.stdout is not None
    silent = threading.Event()

    def give_up() -> None:
        silent.set()
        process.kill()

    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(order.encode() + b"\n")
        process.stdin.flush()
    while True:
        timer = threading.Timer(silence_s, give_up)
        timer.start()
        try:
            line = process.stdout.readline()
        finally:
            timer.cancel()
        if silent.is_set():
            yield {"error": f"was silent for {silence_s:.0f} s and was stopped"}
        elif not line.endswith(b"\n"):
            yield {"error": f"ended in the middle of the race ({fate(process.wait())})"}
        else:
            reply = json.loads(line)
            yield reply
            if "progress" in reply:
                continue
        return


def _take(reply: Mapping[str, object], found: Replicas, name: str) -> None:
    if "error" in reply:
        found.failures.append(f"{name} {reply['error']}; the others stand")
        return
    comparison = reply["comparison"]
    assert isinstance(comparison, dict)
    found.comparisons.append(Comparison.from_dict(comparison))
    found.failures += [f"in {name}, {odd}" for odd in _sentences(reply["odd"])]


def _part(process: subprocess.Popen[bytes], found: Replicas) -> None:
    """Interrupt a process, and take what it still sends; a second Ctrl-C does not wait for it."""
    with contextlib.suppress(KeyboardInterrupt, OSError):
        process.send_signal(signal.SIGINT)
        for reply in _replies(process, "", PARTING_S):
            if "comparison" in reply:
                _take(reply, found, "the interrupted process")


def _sentences(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
