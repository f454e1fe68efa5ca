"""Where MLX can compute: the processor, an Apple GPU, an NVIDIA GPU."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Literal, get_args

from exp_core.machine.memory import total_memory
from exp_core.machine.processor import read_processor

DeviceName = Literal["cpu", "metal", "cuda"]
DEVICES: tuple[DeviceName, ...] = get_args(DeviceName)


@dataclass(frozen=True, slots=True)
class Device:
    """title: what its maker calls it.  memory_bytes: all of it; None if it is not known.

    details: what else MLX says of it, such as the architecture (Metal) or the compute capability (CUDA).
    """

    name: DeviceName
    title: str
    memory_bytes: int | None
    details: Mapping[str, str | int] = field(default_factory=dict)


class DeviceMissing(LookupError):
    """This machine does not have the device; the message is one sentence that says what it has and how to get it."""


DETAILS = (  # that decide what a kernel may use: the first two are Metal's, the others CUDA's
    "max_recommended_working_set_size",
    "max_buffer_length",
    "compute_capability_major",
    "compute_capability_minor",
    "architecture",
)
HOW_TO_GET = {
    "cpu": "every machine has it",
    "metal": "it needs a Mac with Apple silicon and `pip install mlx`",
    "cuda": "it needs an NVIDIA GPU on Linux and `pip install 'dl-exp[cuda]'`",
}


def devices() -> tuple[Device, ...]:
    """The GPU that MLX can use, if there is one, and then the processor.  Imports MLX if it is installed."""
    cpu = Device("cpu", read_processor().model, total_memory())
    mlx = _mlx()
    return (cpu,) if mlx is None else (*_gpus(mlx), cpu)


def require(name: DeviceName) -> Device:
    """The device of that name.  Raises DeviceMissing."""
    present = devices()
    for device in present:
        if device.name == name:
            return device
    titles = " and ".join(f"{device.name} ({device.title})" for device in present)
    raise DeviceMissing(
        f"no {name} device: MLX has {titles} here; {HOW_TO_GET[name]}" if _mlx() else _without_mlx(name)
    )


def _without_mlx(name: DeviceName) -> str:
    """The sentence where MLX itself is missing."""
    return (
        f"no {name} device: MLX is not installed on this {platform.system()} {platform.machine()}; {HOW_TO_GET[name]}"
    )


def _mlx() -> ModuleType | None:
    """mlx.core; None where it is not installed or does not load (a GPU's driver may be missing)."""
    try:
        return importlib.import_module("mlx.core")
    except (ImportError, OSError):
        return None


def _gpus(mlx: ModuleType) -> list[Device]:
    """The GPU of each backend that is available: MLX has both modules, or neither, in every build."""
    found: list[Device] = []
    names: tuple[DeviceName, ...] = ("metal", "cuda")
    for name in names:
        backend: object = getattr(mlx, name, None)
        if not isinstance(backend, ModuleType) or not backend.is_available():
            continue
        facts = _facts(mlx, backend)
        title = facts.get("device_name") or facts.get("architecture") or name
        memory = facts.get("memory_size") or facts.get("total_memory")
        details = {key: value for key in DETAILS if isinstance(value := facts.get(key), (str, int))}
        found.append(Device(name, str(title), memory if isinstance(memory, int) else None, details))
    return found


def _facts(mlx: ModuleType, backend: ModuleType) -> dict[str, object]:
    """What MLX says of its GPU: mlx.core.device_info, or in older versions that of the backend; nothing if it fails.

    Keys are listed in mlx/backend/gpu/available.h: device_name, architecture, memory_size (Metal), total_memory (CUDA).
    """
    try:
        facts: object = mlx.device_info(mlx.gpu) if hasattr(mlx, "device_info") else backend.device_info()
    except (AttributeError, RuntimeError, ValueError):
        return {}
    return dict(facts) if isinstance(facts, dict) else {}
