"""What other processes do meanwhile on the cores that this one may use.

A race on a busy machine is still paired and still right, but it is noisier, and who reads it should know why.
Source: proc_stat(5) and proc_pid_task(5) of the Linux manual; other systems are not read, and the answer is None.
"""

from __future__ import annotations

import os
from pathlib import Path

from exp_core.affinity import processors

PROC = Path("/proc")
IDLE = (3, 4, 7)  # idle, iowait, steal: nobody here works; what follows them (guest) is part of user already
FIELDS = 8


def others(proc: Path = PROC) -> float | None:
    """CPU seconds that all processes but this one and its descendants have spent so far on the cores usable here.

    None where the system does not tell.
    """
    try:
        return _machine_s(proc) - _own_s(proc)
    except (OSError, ValueError, IndexError):
        return None


def _machine_s(proc: Path) -> float:
    """CPU seconds of everybody on our cores."""
    ours = {f"cpu{number}" for number in processors()}
    ticks = 0
    for line in (proc / "stat").read_text().splitlines():
        name, *fields = line.split()
        if name in ours:
            ticks += sum(int(field) for at, field in enumerate(fields[:FIELDS]) if at not in IDLE)
    if not ticks:
        raise ValueError("no counters for our cores")
    return ticks / os.sysconf("SC_CLK_TCK")


def _own_s(proc: Path) -> float:
    """CPU seconds of this process, its ended children, and its living descendants (a contestant may live in one)."""
    times = os.times()
    return sum(times[:4]) + sum(_living_s(proc, child) for child in _children(proc, "self"))


def _living_s(proc: Path, pid: str) -> float:
    try:
        fields = (proc / pid / "stat").read_text().rpartition(")")[2].split()
        spent = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # utime, stime and those of ended children
        return spent + sum(_living_s(proc, child) for child in _children(proc, pid))
    except OSError:  # it has ended since
        return 0.0


def _children(proc: Path, pid: str) -> list[str]:
    found: list[str] = []
    for task in (proc / pid / "task").glob("*/children"):
        try:
            found += task.read_text().split()
        except OSError:  # the thread has ended since
            continue
    return found
