"""The processes of one data-parallel run under ``mlx.launch``: each takes its part of every batch, the first one leads.

Source: MLX's documentation, "Distributed Communication"; ``mlx.launch`` sets MLX_RANK in what it starts.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from exp_core.training.plan import Numbers


@dataclass(frozen=True)
class Group:
    """This process's place among those that share each batch."""

    rank: int = 0
    size: int = 1

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
    """Meet the others.  Alone where nobody else was started."""
    if not launched():
        return ALONE
    import mlx.core as mx

    group = mx.distributed.init()
    return Group(group.rank(), group.size())
