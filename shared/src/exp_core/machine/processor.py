"""The processor: its name, vector instructions, caches and clock."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from exp_core.machine.files import ROOT, read_bytes, read_int, read_text, sysctl

# flags of /proc/cpuinfo (x86: flags, arm64: Features)     name of the level, best first
SIMD_LEVELS = (
    ("avx512f", "AVX-512"),
    ("avx2", "AVX2"),
    ("avx", "AVX"),
    ("sse2", "SSE2"),
    ("sve2", "SVE2"),
    ("sve", "SVE"),
    ("asimd", "NEON"),
)


@dataclass(frozen=True, slots=True)
class Processor:
    """What does not change from run to run.  Caches in bytes, as one core sees them; None: not readable here."""

    model: str
    architecture: str
    logical_cores: int
    simd: str
    l1d_bytes: int | None
    l2_bytes: int | None
    l3_bytes: int | None


@dataclass(frozen=True, slots=True)
class Frequency:
    """The clock's present and highest frequency in Hz, and the kernel's policy; None: not readable here."""

    now_hz: float | None
    most_hz: float | None
    governor: str | None


def read_processor(root: Path = ROOT) -> Processor:
    """The processor of this machine, from Linux's /proc and /sys or macOS's sysctl."""
    if platform.system() == "Darwin":
        return _from_sysctl(
            sysctl(
                "machdep.cpu.brand_string",
                "hw.optional.avx2_0",
                "hw.optional.avx512f",
                *APPLE_CACHES["l1d"],
                *APPLE_CACHES["l2"],
                *APPLE_CACHES["l3"],
            )
        )
    cpuinfo = _cpuinfo(root)
    caches = _caches(root)
    return Processor(
        model=cpuinfo.get("model name") or cpuinfo.get("Model") or platform.processor() or platform.machine(),
        architecture=platform.machine(),
        logical_cores=os.cpu_count() or 1,
        simd=_simd((cpuinfo.get("flags") or cpuinfo.get("Features") or "").split()),
        l1d_bytes=caches.get(1),
        l2_bytes=caches.get(2),
        l3_bytes=caches.get(3),
    )


def read_frequency(root: Path = ROOT) -> Frequency:
    """The clock of the first core."""
    folder = root / "sys/devices/system/cpu/cpu0/cpufreq"
    now, most = read_int(folder / "scaling_cur_freq"), read_int(folder / "cpuinfo_max_freq")  # in kHz
    mhz = _cpuinfo(root).get("cpu MHz")
    return Frequency(
        now_hz=now * 1e3 if now else float(mhz) * 1e6 if mhz else None,
        most_hz=most * 1e3 if most else None,
        governor=read_text(folder / "scaling_governor"),
    )


def throttle_count(root: Path = ROOT) -> int:
    """How often any core has slowed down since the start because it was too hot (Intel on Linux; else 0)."""
    cores = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/thermal_throttle/core_throttle_count")
    return max((read_int(core) or 0 for core in cores), default=0)


def _cpuinfo(root: Path) -> dict[str, str]:
    """The description of the first core in /proc/cpuinfo, and what stands there for all."""
    facts: dict[str, str] = {}
    for line in (read_text(root / "proc/cpuinfo") or "").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            facts.setdefault(name.strip(), value.strip())
    return facts


def _simd(flags: Iterable[str]) -> str:
    """The best level of vector instructions among a processor's flags; empty if unknown."""
    present = set(flags)
    return next((name for flag, name in SIMD_LEVELS if flag in present), "")


def _caches(root: Path) -> dict[int, int]:
    """Bytes of the caches that hold data, by level."""
    sizes: dict[int, int] = {}
    for index in sorted((root / "sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, size = read_int(index / "level"), read_bytes(index / "size")
        if level and size and read_text(index / "type") in ("Data", "Unified"):
            sizes[level] = size
    return sizes


APPLE_CACHES = {  # perflevel0: the fast cores, where there are two kinds
    "l1d": ("hw.perflevel0.l1dcachesize", "hw.l1dcachesize"),
    "l2": ("hw.perflevel0.l2cachesize", "hw.l2cachesize"),
    "l3": ("hw.l3cachesize",),
}


def _from_sysctl(facts: dict[str, str]) -> Processor:
    """The same from macOS's names."""
    size = {
        level: next((int(facts[name]) for name in names if re.fullmatch("[1-9][0-9]*", facts.get(name, ""))), None)
        for level, names in APPLE_CACHES.items()
    }
    arm = platform.machine() == "arm64"
    flags = (
        ["asimd"]
        if arm
        else [f for f, name in (("avx512f", "avx512f"), ("avx2", "avx2_0")) if facts.get(f"hw.optional.{name}") == "1"]
    )
    return Processor(
        model=facts.get("machdep.cpu.brand_string", platform.processor()),
        architecture=platform.machine(),
        logical_cores=os.cpu_count() or 1,
        simd=_simd(flags),
        l1d_bytes=size["l1d"],
        l2_bytes=size["l2"],
        l3_bytes=size["l3"],
    )
