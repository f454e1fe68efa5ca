"""What this machine is, in one frozen value."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from exp_core import beneath_mlx
from exp_core.experiment import Skip
from exp_core.machine.advice import advice
from exp_core.machine.apple import nominal
from exp_core.machine.cores import usable_cores
from exp_core.machine.devices import Device, devices
from exp_core.machine.libraries import Blas, blas_in_use, versions
from exp_core.machine.memory import available_memory, total_memory
from exp_core.machine.processor import Frequency, Processor, read_frequency, read_processor


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and what is installed on it.  Memory in bytes.

    mlx_blas: what MLX computes with on the CPU, where that is a question.
    warnings: what slows it at the moment, one sentence each.
    fingerprint: tells machines apart; it stays the same when software, load or settings change.
    """

    system: str
    release: str
    processor: Processor
    frequency: Frequency
    usable_cores: int
    memory_bytes: int
    memory_available_bytes: int
    versions: Mapping[str, str | None]
    blas: tuple[Blas, ...]
    mlx_blas: str
    devices: tuple[Device, ...]
    warnings: tuple[str, ...]
    fingerprint: str

    def to_dict(self) -> dict[str, object]:
        """Plain dictionaries, lists, strings and numbers, for JSON."""
        plain: dict[str, object] = json.loads(json.dumps(asdict(self)))
        return plain

    def facts(self) -> list[tuple[str, str]]:
        """Names and values to print, those that are not known left out."""
        cpu, clock = self.processor, self.frequency
        caches = (("L1", cpu.l1d_bytes), ("L2", cpu.l2_bytes), ("L3", cpu.l3_bytes))
        rows = [
            ("system", f"{self.system} {self.release}"),
            ("processor", f"{cpu.model} ({', '.join(part for part in (cpu.architecture, cpu.simd) if part)})"),
            ("cores", f"{self.usable_cores} usable of {cpu.logical_cores}"),
            ("caches", ", ".join(f"{name} {bytes_text(size)}" for name, size in caches if size)),
            ("clock", ", ".join(part for part in (_hertz(clock), clock.governor or "") if part)),
            ("memory", f"{bytes_text(self.memory_bytes)}, {bytes_text(self.memory_available_bytes)} available"),
            ("BLAS", "; ".join(_blas_text(blas) for blas in self.blas)),
            ("MLX's BLAS", self.mlx_blas),
            ("devices", "; ".join(_device_text(device) for device in self.devices)),
            ("versions", ", ".join(f"{name} {version}" for name, version in self.versions.items() if version)),
            ("fingerprint", self.fingerprint),
        ]
        return [(name, value) for name, value in rows if value]


def describe(clock_hz: float | None = None) -> Machine:
    """Look at this machine.  Imports MLX, if it is installed, to ask for its devices.

    clock_hz: of a core at work, where it was measured: advice follows from it.
    """
    processor, found = read_processor(), devices()  # MLX is loaded by now, and what it computes with
    return Machine(
        system=platform.system(),
        release=platform.release(),
        processor=processor,
        frequency=read_frequency(),
        usable_cores=usable_cores(),
        memory_bytes=total_memory(),
        memory_available_bytes=available_memory(),
        versions=versions(),
        blas=blas_in_use(),
        mlx_blas=_mlx_blas_text(),
        devices=found,
        warnings=advice(clock_hz=clock_hz),
        fingerprint=fingerprint(processor),
    )


def fingerprint(processor: Processor) -> str:
    """Twelve hexadecimal digits from the system and the processor alone: what no update and no setting changes.

    Memory is left out: what the kernel reports of it changes a little with every kernel.
    """
    stable = json.dumps([platform.system(), asdict(processor)], sort_keys=True)
    return hashlib.sha256(stable.encode()).hexdigest()[:12]


def bytes_text(size: float) -> str:
    """Bytes with a binary unit: ``"32 KiB"``."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} GiB"


def _hertz(clock: Frequency) -> str:
    now = f"{clock.now_hz / 1e9:.2f} GHz" if clock.now_hz else ""
    return f"{now} of {clock.most_hz / 1e9:.2f} GHz" if now and clock.most_hz else now


def _device_text(device: Device) -> str:
    """What is known of a device; the maker's figures are said to be that."""
    parts = [f"{device.name}: {device.title}"]
    if device.name != "cpu" and device.memory_bytes:
        parts.append(bytes_text(device.memory_bytes))
    parts += [f"{name.replace('_', ' ')} {value}" for name, value in device.details.items()]
    if (figures := nominal(device.title)) is not None:
        flops = f"{figures.flops / 1e12:.3g} TFLOP/s in float32 and " if figures.flops else ""
        parts.append(f"GPU nominally {flops}{figures.bytes / 1e9:.3g} GB/s")
    return ", ".join(parts)


def _mlx_blas_text() -> str:
    outcome = beneath_mlx.outcome()
    if isinstance(outcome, Skip):
        return f"as it came: {outcome}"
    return f"OpenBLAS {outcome.version}, {outcome.faster:.3g} times what it came with" if outcome else ""


def _blas_text(blas: Blas) -> str:
    parts = [blas.name, blas.version or "", f"kernels for {blas.kernel}" if blas.kernel else ""]
    parts.append(f"{blas.threads} threads" if blas.threads else "")
    return ", ".join(part for part in parts if part)
