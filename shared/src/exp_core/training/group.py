"""The processes of one data-parallel run under ``mlx.launch``: each takes its part of every batch, the first one leads.

Source: MLX's documentation, "Distributed Communication"; ``mlx.launch`` sets MLX_RANK in what it starts, and, for the
ring, MLX_HOSTFILE: a list of each process's addresses.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exp_core.training.plan import Numbers

PROGRAM = "mlx.launch"
STRANGERS = "this run met another mlx.launch on this machine: give each of the two its own --starting-port"


class GroupError(RuntimeError):
    """The processes cannot work together, or do so no longer; the message is one sentence."""


@dataclass(frozen=True)
class Group:
    """This process's place among those that share each batch; ``here``: how many of them this machine has."""

    rank: int = 0
    size: int = 1
    here: int = 1

    @property
    def leads(self) -> bool:
        """Whether this one prints and writes; the others only compute."""
        return self.rank == 0

    def part(self, batches: tuple[Numbers, ...]) -> tuple[Numbers, ...]:
        """This process's examples of each step: axis 1 of the stacked batches, every size-th of them."""
        return batches if self.size == 1 else tuple(batch[:, self.rank :: self.size] for batch in batches)


ALONE = Group()


def launched() -> bool:
    """Whether ``mlx.launch`` has started this process; MLX is not imported to find out."""
    return "MLX_RANK" in os.environ


def join() -> Group:
    """Meet the others.  Alone where nobody else was started.

    Raises GroupError if they cannot be reached, or if those that were met are of another run: mlx.launch gives the same
    ports to all, so that two runs begun at once on one machine may close their rings over each other.
    """
    if not launched():
        return ALONE
    import mlx.core as mx

    try:
        group = mx.distributed.init()
        launchers = np.array(mx.distributed.all_gather(mx.array([launcher()]), stream=mx.cpu))
    except (RuntimeError, ValueError) as error:
        why = STRANGERS if lost(error) else str(error).strip()
        raise GroupError(f"rank {os.environ['MLX_RANK']} did not meet the others: {why}") from error
    here = neighbours(group.rank())
    if here == group.size() and np.any(launchers != launchers[0]):
        raise GroupError(STRANGERS)
    return Group(group.rank(), group.size(), here)


def launcher() -> int:
    """The process of mlx.launch that has started this one; 0 where it is something else that has."""
    import psutil

    try:
        parent = psutil.Process(os.getppid())
        return parent.pid if any(Path(word).name == PROGRAM for word in parent.cmdline()) else 0
    except psutil.Error:
        return 0


def neighbours(rank: int) -> int:
    """How many processes of the ring have this one's address; 1 where no ring says so."""
    try:
        addresses = json.loads(Path(os.environ["MLX_HOSTFILE"]).read_text(encoding="utf-8"))
        machines = [each[0].rpartition(":")[0] for each in addresses]
        return machines.count(machines[rank])
    except (KeyError, OSError, ValueError, IndexError):
        return 1


def lost(error: BaseException) -> bool:
    """Whether this is MLX's word for another process that has gone."""
    return isinstance(error, RuntimeError) and "connection to a peer was lost" in str(error)
