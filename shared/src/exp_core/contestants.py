"""Who takes part in a ladder: an implementation on a device, ready to be called."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, cast

import numpy as np

from exp_core.experiment import Experiment, Implementation, Inputs, Rung, Skip
from exp_core.installed import missing_modules
from exp_core.machine import DEVICES, DeviceName, devices, require
from exp_core.memory import Memory, mlx_peak, peak_memory
from exp_core.tensor import from_numpy

EMULATED = "emulated: right, not timed"


class Call(Protocol):
    """A contestant holding its arguments: calling it does the work, all of it, and returns the result."""

    def __call__(self) -> object: ...


@dataclass(frozen=True)
class Contestant:
    """One implementation on one device.

    emulator: the module that stands in for a GPU that is not here: ``emulating(device)`` is a context in which what is
        written for that GPU runs on the processor; ``unavailable()`` is a Skip, or None; ``unseen(device)`` is a Skip
        for what it could look at and does not, or None; ``own_kernel(experiment, text)`` makes an implementation of a
        file that ends in one of ``SUFFIXES``.
    yours: it is the asker's own (``own.py``).
    """

    implementation: Implementation
    device: DeviceName = "cpu"
    emulator: str = ""
    yours: bool = False

    @property
    def name(self) -> str:
        """The implementation's name."""
        return self.implementation.name

    @property
    def rung(self) -> Rung | Literal["yours"]:
        """The implementation's rung."""
        return "yours" if self.yours else self.implementation.rung

    @property
    def key(self) -> str:
        """A name that tells the same implementation's devices apart."""
        return f"{self.name}@{self.device}"

    @property
    def emulated(self) -> bool:
        """Whether the emulator runs it: it is then checked like all others, and not timed."""
        return bool(self.emulator) and self.device in self.implementation.devices

    @property
    def emulation(self) -> str:
        """What there is to say of an emulated one that is right."""
        unseen = cast("Skip | None", importlib.import_module(self.emulator).unseen(self.device))
        return f"{EMULATED}; {unseen}" if unseen else EMULATED

    def unavailable(self, experiment: Experiment, dtype: str, package: str) -> Skip | None:
        """Why it cannot run here at all, whatever the input; None if it can."""
        if absent := missing_modules(package, self.implementation.modules):
            return absent
        own = self.implementation.devices
        if own and self.device not in own:
            flags = " or ".join(f"--{name} --emulate" for name in own)
            return Skip(f"is written for {' and '.join(own)}", f"{flags} checks it here" if self.emulator else "")
        if self.emulated and (absent := importlib.import_module(self.emulator).unavailable()):
            return cast("Skip", absent)
        dtypes = self.implementation.dtypes or experiment.dtypes
        if dtype not in dtypes:
            return Skip(f"does not take {dtype}", f"--dtype {dtypes[0]}")
        if dtype in ("float64", "complex128") and self.device != "cpu":
            return Skip(f"MLX has no {dtype} on a GPU", "--dtype float32")
        return None

    def unsuited(self, inputs: Inputs) -> Skip | None:
        """Why it is not made for these inputs; None if it is."""
        return self.implementation.skip(*inputs) if self.implementation.skip else None

    def ready(self, inputs: Inputs) -> Call:
        """Prepare the arguments, outside of any timing."""
        with self._device():
            arguments = inputs
            if self.implementation.arrays == "mlx":
                arguments = tuple(from_numpy(x, "mlx") if isinstance(x, np.ndarray) else x for x in inputs)
            if self.implementation.prepare:
                arguments = self.implementation.prepare(*arguments)
        function = self.implementation.function
        if self.implementation.arrays == "mlx":
            call = MlxCall(function, arguments, self._device())
            return EmulatedCall(call, self.emulator, self.device) if self.emulated else call
        if self.implementation.arrays == "dask":
            compute = importlib.import_module("dask").compute
            return lambda: compute(function(*arguments))[0]
        return lambda: function(*arguments)

    def _device(self) -> Device:
        return Device(("cpu" if self.emulated else self.device) if self.implementation.arrays == "mlx" else None)


@dataclass(frozen=True)
class MlxCall:
    """A call on an MLX device."""

    function: Callable[..., object]
    arguments: Inputs
    device: Device

    def __call__(self) -> object:
        """MLX is lazy: a result that nobody asks for is never computed."""
        import mlx.core as mx

        with self.device:
            result = self.function(*self.arguments)
            mx.eval(result)
        return result

    def unforced(self) -> object:
        """The result as MLX gives it: for who wants to have many in flight (``timing.FunctionSampler``)."""
        with self.device:
            return self.function(*self.arguments)


@dataclass(frozen=True)
class EmulatedCall:
    """A call whose kernels run on an emulated GPU."""

    call: MlxCall
    emulator: str
    device: DeviceName

    def __call__(self) -> object:
        """The same result, some thousand times slower."""
        with importlib.import_module(self.emulator).emulating(self.device):
            return self.call()


def memory_of(call: Call) -> Memory:
    """The memory that a call needs, on whichever device it runs."""
    return mlx_peak(call) if isinstance(call, MlxCall) else peak_memory(call)


class Device:
    """While entered, MLX's default device is the named one; None leaves MLX alone (and unimported)."""

    def __init__(self, name: str | None) -> None:
        self.name = name

    def __enter__(self) -> None:
        if self.name is not None:
            import mlx.core as mx

            self.before = mx.default_device()
            mx.set_default_device(mx.cpu if self.name == "cpu" else mx.gpu)

    def __exit__(self, *_: object) -> None:
        if self.name is not None:
            import mlx.core as mx

            mx.set_default_device(self.before)


def chosen_devices(asked: tuple[str, ...]) -> tuple[DeviceName, ...]:
    """The devices asked for, or MLX's best one, with the CPU beside it.  Raises DeviceMissing."""
    if asked:
        return tuple(require(name).name for name in DEVICES if name in asked)
    return tuple(dict.fromkeys(("cpu", *(device.name for device in devices()))))
