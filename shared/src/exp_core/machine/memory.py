"""How much memory there is, and how much of it is free for us."""

from __future__ import annotations

from pathlib import Path

from exp_core.machine.cgroup import memory_left, memory_limit
from exp_core.machine.files import ROOT

MEMORY_SHARE = 0.7  # of the available memory, the part that a run may plan to use


def total_memory(root: Path = ROOT) -> int:
    """Bytes of main memory, or a container's limit where that is less."""
    import psutil

    total = int(psutil.virtual_memory().total)
    limit = memory_limit(root)
    return total if limit is None else min(total, limit)


def available_memory(root: Path = ROOT) -> int:
    """Bytes that can be used without swapping and without being killed by a container's limit."""
    import psutil

    available = int(psutil.virtual_memory().available)
    left = memory_left(root)
    return available if left is None else min(available, left)
