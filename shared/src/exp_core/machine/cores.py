"""How many cores a computation may keep busy."""

from __future__ import annotations

import os
from pathlib import Path

from exp_core.affinity import processors
from exp_core.machine.cgroup import cpu_quota
from exp_core.machine.files import ROOT


def usable_cores(root: Path = ROOT) -> int:
    """Cores that this process may use: those it is bound to, and no more than a container's quota pays for.

    A quota of 1.5 cores counts as one: a second thread would be stopped half of the time, and the first one waits.
    """
    quota = cpu_quota(root)
    cores = bound_cores()
    return cores if quota is None else max(1, min(cores, int(quota)))


def bound_cores() -> int:
    """Cores that this process may be scheduled on (its affinity)."""
    return len(processors()) or os.cpu_count() or 1
