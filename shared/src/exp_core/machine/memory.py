"""How much memory there is, and how much of it is free for us."""

from __future__ import annotations

import sys
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
    """Bytes that can be used without swapping, within a container's limit and within that of ``ulimit -v``."""
    import psutil

    available = int(psutil.virtual_memory().available)
    return min(left for left in (available, memory_left(root), _addresses_left()) if left is not None)


def _addresses_left() -> int | None:
    """Bytes of address space that this process may still take; None where nobody limits it."""
    if sys.platform != "linux":
        return None
    import resource

    import psutil

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else max(0, limit - int(psutil.Process().memory_info().vms))
