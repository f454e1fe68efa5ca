"""What a container allows: the control group's quota of CPU time and of memory, versions 1 and 2.

A limit holds for everything below it, so that the smallest one on the way up to the root counts.  In a container the
path that the kernel names may not exist, but its parents do: the container's own group is then the root.
Source: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst; CFS Bandwidth Control.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from exp_core.machine.files import ROOT, read_int, read_text

UNLIMITED = 2**60  # version 1 says "no limit" with a number near 2^63


def cpu_quota(root: Path = ROOT) -> float | None:
    """Cores' worth of CPU time that this process may use, such as 1.5; None if there is no limit."""
    quotas: list[float] = []
    for group in _groups("cpu", root):
        limit, _, period = (read_text(group / "cpu.max") or "").partition(
            " "
        )  # version 2: "150000 100000", "max 100000"
        if limit.isdigit() and period.isdigit():
            quotas.append(int(limit) / int(period))
        quota, period_us = read_int(group / "cpu.cfs_quota_us"), read_int(group / "cpu.cfs_period_us")  # version 1
        if quota is not None and period_us and quota > 0:
            quotas.append(quota / period_us)
    return min(quotas, default=None)


def throttled_periods(root: Path = ROOT) -> int:
    """How often this group has been stopped because its quota of CPU time was used up."""
    for group in _groups("cpu", root):
        for line in (read_text(group / "cpu.stat") or "").splitlines():
            if line.startswith("nr_throttled "):
                return int(line.split()[1])
    return 0


def memory_limit(root: Path = ROOT) -> int | None:
    """Bytes that this process and its group may use together; None if there is no limit."""
    return min((limit for limit, _ in _memory(root)), default=None)


def memory_left(root: Path = ROOT) -> int | None:
    """Bytes of that limit that are not used, or are used for files that can be read again; None without a limit."""
    return min((max(0, limit - used) for limit, used in _memory(root)), default=None)


def _memory(root: Path) -> Iterator[tuple[int, int]]:
    """Limit and use in bytes of every group with a limit."""
    for group in _groups("memory", root):
        for limit_file, usage_file, cached in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit, used = read_int(group / limit_file), read_int(group / usage_file)
            if limit is None or limit >= UNLIMITED:
                continue
            statistics = dict(line.split()[:2] for line in (read_text(group / "memory.stat") or "").splitlines())
            yield limit, max(0, (used or 0) - int(statistics.get(cached, 0)))


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """The folders of this process's groups that may hold limits for a controller, each with all its parents."""
    for line in (read_text(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        mounts = (
            ["sys/fs/cgroup"] if not controllers else [f"sys/fs/cgroup/{name}" for name in (controllers, controller)]
        )
        for mount in dict.fromkeys(mounts):
            inside = Path(path.lstrip("/"))
            for folder in (inside, *inside.parents):
                yield root / mount / folder
