"""What slows this machine down at the moment, in one sentence each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from exp_core.machine.cgroup import cpu_quota, throttled_periods
from exp_core.machine.cores import bound_cores
from exp_core.machine.files import ROOT, read_text
from exp_core.machine.processor import Frequency, read_frequency, throttle_count

# variable                       what it does when it is set
ALWAYS_SLOW = {
    "OPENBLAS_CORETYPE": "OpenBLAS uses the kernels of that processor instead of this one's",
    "OPENBLAS_L2_SIZE": "OpenBLAS blocks for a cache of that size instead of the one that is there",
    "NPY_DISABLE_CPU_FEATURES": "NumPy does without those vector instructions",
    "MKL_ENABLE_INSTRUCTIONS": "MKL uses no better instructions than those",
    "BLIS_ARCH_TYPE": "BLIS uses the kernels of that processor instead of this one's",
    "NUMBA_CPU_NAME": "Numba compiles for that processor instead of this one",
    "NUMBA_CPU_FEATURES": "Numba compiles for those vector instructions instead of all that are there",
    "NUMBA_OPT": "Numba's optimiser is not at its default",
}
SLOW_WHEN = {
    ("NUMBA_DISABLE_JIT", "1"): "Numba compiles nothing, and compiled functions run as plain Python",
    ("OMP_WAIT_POLICY", "active"): "idle threads spin, and slow whoever comes next",
    ("KMP_BLOCKTIME", "infinite"): "idle threads spin, and slow whoever comes next",
    ("PYTHONDEVMODE", "1"): "Python checks itself while it runs",
    ("PYTHONMALLOC", "debug"): "Python checks its memory while it runs",
}
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
BUSY = 0.5  # load a core above which somebody else is at work
STOLEN = 0.02  # of a virtual machine's time that others took
SWAPPED = 0.05  # of the memory that lies on a disk
FAR_BELOW = 0.7  # of the highest clock: all cores together, and wide vectors, run at some 0.8 of it


def advice(
    environment: Mapping[str, str] = os.environ, root: Path = ROOT, clock_hz: float | None = None
) -> tuple[str, ...]:
    """All that applies here.  clock_hz: of a core at work, where it was measured."""
    return (
        *slow_environment(environment, bound_cores()),
        *slow_container(bound_cores(), root),
        *slow_clock(clock_hz, read_frequency(root)),
        *slow_hardware(root),
    )


def slow_environment(environment: Mapping[str, str], cores: int) -> Iterator[str]:
    """Variables that slow the libraries, each with the command that mends it."""
    for name, effect in ALWAYS_SLOW.items():
        if environment.get(name):
            yield f"{name}={environment[name]} is set: {effect}; `unset {name}`"
    for (name, value), effect in SLOW_WHEN.items():
        if environment.get(name) == value:
            yield f"{name}={value} is set: {effect}; `unset {name}`"
    for name in THREADS:
        value = environment.get(name, "")
        if value.isdigit() and 0 < int(value) < cores:
            yield f"{name}={value} is set: that library starts with {value} of {cores} cores; `unset {name}`"


def slow_container(cores: int, root: Path = ROOT) -> Iterator[str]:
    """A container that allows less than the machine has."""
    if cores == 1:
        yield "only one core may be used: everything else that runs here disturbs the measurement"
    quota = cpu_quota(root)
    if quota is not None and quota < cores:
        yield f"the container may use {quota:g} of {cores} cores: more threads than that are stopped now and then"
    if stops := throttled_periods(root):
        yield f"the container has been stopped {stops} times because its CPU quota was used up"


def slow_clock(clock_hz: float | None, frequency: Frequency) -> Iterator[str]:
    """A core that does not run, at work, as fast as its maker says."""
    most_hz = frequency.most_hz
    if clock_hz and most_hz and clock_hz < FAR_BELOW * most_hz:
        yield f"a core at work runs at {clock_hz / 1e9:.2f} of {most_hz / 1e9:.2f} GHz: hot, saving power, or limited"


def slow_hardware(root: Path = ROOT) -> Iterator[str]:
    """A machine that saves power, is too hot, or is busy."""
    governor = read_frequency(root).governor
    if governor in ("powersave", "conservative"):
        remedy = "`sudo cpupower frequency-set -g performance`"
        yield f"the frequency governor is {governor!r}: the clock follows the load; {remedy}"
    if count := throttle_count(root):
        yield f"a core has slowed down {count} times since the start because it was too hot"
    if _on_battery():
        yield "the machine runs on its battery: plug it in"
    if (stolen := _stolen(root)) > STOLEN:
        yield f"{stolen:.0%} of this virtual machine's time since its start went to others on the same host"
    if (swapped := _swapped()) > SWAPPED:
        yield f"what would fill {swapped:.0%} of the memory lies on the disk (swap): close what is not needed"
    load = _load()
    if load > BUSY * (os.cpu_count() or 1):
        yield f"other work is running: the load of the last minute is {load:.1f} on {os.cpu_count()} cores"


def _on_battery() -> bool:
    import psutil

    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError):  # not on this system
        return False
    return battery is not None and battery.power_plugged is False


def _stolen(root: Path) -> float:
    """The part of the time since the start in which a core of this virtual machine was ready and did not get to run.

    Source: proc_pid_stat(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in clock ticks.
    """
    line = (read_text(root / "proc/stat") or "").partition("\n")[0].split()
    ticks = [int(word) for word in line[1:9] if word.isdigit()]
    return ticks[7] / max(sum(ticks), 1) if len(ticks) == 8 else 0.0


def _swapped() -> float:
    """Bytes on the disk that belong into memory, as a part of the memory."""
    import psutil

    try:
        return float(psutil.swap_memory().used / psutil.virtual_memory().total)
    except (OSError, RuntimeError):  # no permission, or no /proc/vmstat
        return 0.0


def _load() -> float:
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows
        return 0.0
