"""Metal and CUDA kernels on any machine with a C++ compiler: correctness, not speed.

from dl_exp.emulator import emulating

with emulating("metal"):
    y = kernel(x)               # raises KernelFault, with the body's own lines, if the kernel is wrong
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dl_exp.emulator.faults import EmulatorMissing, KernelFault
from dl_exp.kernel import EMULATED, Kernel, Language, Launch
from exp_core.catalogue import Entry
from exp_core.experiment import Experiment, Implementation, Skip

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "SUFFIXES",
    "EmulatorMissing",
    "KernelFault",
    "device_of",
    "emulating",
    "kernel_skeleton",
    "own_kernel",
    "run",
    "unavailable",
    "unseen",
]

SUFFIXES = (".metal", ".cu")  # of files that hold a body


@contextmanager
def emulating(language: Language) -> Iterator[None]:
    """While entered, every Kernel that is called runs here, on the emulated GPU."""
    token = EMULATED.set(language)
    try:
        yield
    finally:
        EMULATED.reset(token)


def unavailable() -> Skip | None:
    """Why nothing can be emulated on this machine; None if all is there."""
    from dl_exp.emulator.compiler import machine

    try:
        machine()
    except EmulatorMissing as missing:
        reason, _, remedy = str(missing).rpartition(": ")
        return Skip(reason, remedy)
    return None


def unseen(device: str) -> Skip | None:
    """What of a kernel for this device could be looked at, and is not on this machine; None if nothing."""
    from dl_exp.emulator import address_spaces

    return address_spaces.absent() if device == "metal" else None


def own_kernel(experiment: Experiment, text: str) -> Implementation:
    """The implementation that runs a reader's body: see own.own_kernel."""
    from dl_exp.emulator.own import own_kernel as made

    return made(experiment, text)


def kernel_skeleton(entry: Entry, experiment: Experiment, command: str, text: str) -> str:
    """The file that a reader fills in: see skeleton.kernel_skeleton."""
    from dl_exp.emulator.skeleton import kernel_skeleton as made

    return made(entry, experiment, command, text)


def device_of(text: str) -> str:
    """The device that ``FILE`` or ``FILE:KERNEL`` is written for."""
    from dl_exp.emulator.own import LANGUAGE_OF

    return next(device for suffix, device in LANGUAGE_OF.items() if text.partition(":")[0].endswith(suffix))


def run(
    kernel: Kernel, language: Language, inputs: Sequence[object], launch: Launch, schedules: Sequence[int] | None = None
) -> tuple[np.ndarray, ...]:
    """The outputs of one launch, as NumPy arrays: see launch.run."""
    from dl_exp.emulator.launch import SCHEDULES
    from dl_exp.emulator.launch import run as launched

    return launched(kernel, language, inputs, launch, SCHEDULES if schedules is None else schedules)
