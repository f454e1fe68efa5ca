"""Ranks on this machine: started as mlx.launch starts them, and spoken to through pipes.

Each has an MLX_RANK and an MLX_HOSTFILE that names everybody's address: that is all that MLX's ring asks for.  They are
started once and wait for work, so that a ladder times the training, not the starting.
Source: MLX's documentation, "Launching Distributed Programs".
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path

from exp_core.machine import thread_environment, usable_cores
from exp_core.user import fate

PATIENCE_S = 120.0  # for a rank that says nothing
RING = ("MLX_RANK", "MLX_HOSTFILE")
PROGRAM = "dl_exp.distributed._data_parallel_rank"


class RankError(RuntimeError):
    """A rank has died, or does not answer: all are ended; the message is one sentence."""


class Ranks:
    """Processes in a ring.  Raises RankError, here and in all that is asked of them."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.processes: list[subprocess.Popen[bytes]] = []
        self.pipes: list[Connection] = []
        self.given = 0  # how often work was handed out
        threads = thread_environment(max(1, usable_cores() // count))
        with tempfile.TemporaryDirectory() as folder:
            hosts = Path(folder) / "hosts.json"
            hosts.write_text(json.dumps([[f"127.0.0.1:{port}"] for port in free_ports(count)]))
            for rank in range(count):
                ring = {"MLX_RANK": str(rank), "MLX_HOSTFILE": str(hosts)} if count > 1 else {}
                self._start({name: value for name, value in os.environ.items() if name not in RING} | threads | ring)
            self._answers()

    def _start(self, environment: dict[str, str]) -> None:
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        ours, theirs = Pipe()
        with theirs:
            command = [sys.executable, "-m", PROGRAM, str(theirs.fileno())]
            # what MLX's ring prints when a neighbour has gone, we say better
            process = subprocess.Popen(
                command,
                env=environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self.processes.append(process)
        self.pipes.append(ours)

    def ask(self, message: object) -> list[object]:
        """The same message to all ranks; their answers, in order."""
        try:
            for pipe in self.pipes:
                pipe.send(message)
        except OSError:
            raise self._ended() from None
        return self._answers()

    def _answers(self) -> list[object]:
        answers: dict[int, object] = {}
        while len(answers) < self.count:
            missing = {self.pipes[rank]: rank for rank in range(self.count) if rank not in answers}
            ready = wait(list(missing), PATIENCE_S)
            if not ready:
                self.close()
                raise RankError(
                    f"rank {min(missing.values())} said nothing for {PATIENCE_S:.0f} s: all ranks are ended"
                )
            for pipe in ready:
                try:
                    answers[missing[pipe]] = pipe.recv()  # type: ignore[index, union-attr]
                except (EOFError, OSError):
                    raise self._ended() from None
        return [answers[rank] for rank in range(self.count)]

    def _ended(self) -> RankError:
        """Who has died first, and how; the others are ended."""
        codes = [process.poll() for process in self.processes]
        dead = [rank for rank, code in enumerate(codes) if code is not None]
        self.close()
        first = next((rank for rank in dead if codes[rank] != LOST), dead[0] if dead else 0)
        how = fate(codes[first] or 0) if dead else "its pipe was closed"
        return RankError(f"rank {first} of {self.count} has died ({how}): all ranks are ended")

    def close(self) -> None:
        """End all processes, however they are."""
        for process in self.processes:
            process.kill()
        for process, pipe in zip(self.processes, self.pipes, strict=True):
            process.wait()
            pipe.close()
        if _current and _current[0] is self:
            _current.clear()


LOST = 3  # exit code of a rank whose neighbour has gone
_current: list[Ranks] = []


def ranks_of(count: int) -> Ranks:
    """The ranks that are waiting already, or so many new ones: there is never more than one ring."""
    if not _current or _current[0].count != count:
        close_ranks()
        _current.append(Ranks(count))
    return _current[0]


@atexit.register
def close_ranks() -> None:
    """End the ranks that are waiting."""
    for ranks in _current[:]:
        ranks.close()


@dataclass(frozen=True)
class Loaded:
    """A training run that the ranks have in memory."""

    ranks: Ranks
    run: int

    def train(self, average: Callable[..., object]) -> object:
        """Losses, and the weights that all ranks have at the end.

        average: ``average(gradient, loss, n, group)``: the means over the examples of all ranks, for a rank that has n.
        """
        (losses, weights), *others = self.ranks.ask((average, self.run))
        if any(other != weights.tobytes() for other in others):
            raise RankError("the ranks have come to different weights")
        return losses, weights


def loaded(weights, x, labels, shape, ranks):
    """Every rank has the weights and its own part of the batches: outside of any timing."""
    pool = ranks_of(ranks)
    pool.given += 1
    pool.ask((pool.given, (weights, x, labels, shape)))
    return (Loaded(pool, pool.given),)


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
