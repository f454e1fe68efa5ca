"""One run of a kernel on the emulated GPU, in a process of its own: whatever it breaks, it breaks there."""

from __future__ import annotations

import math
import struct
import subprocess
from collections.abc import Sequence

import numpy as np

from dl_exp.emulator import address_spaces, nvcc
from dl_exp.emulator.compiler import compiled
from dl_exp.emulator.faults import KernelFault, quoted
from dl_exp.emulator.program import FEW, Argument, extra_buffers, program
from dl_exp.emulator.tokens import Untranslatable
from dl_exp.kernel import Kernel, Language, Launch
from exp_core.tensor import dtype_name, from_numpy, is_mlx, to_numpy
from exp_core.tensor.convert import numpy_dtype

SCHEDULES = (0, 1, 2, 3, 4, 5)  # in turns, from the end, one simdgroup ahead, that from the end, two at random
FAULT = 3
LEAST_S, MOST_S = 10, 60  # before a kernel counts as one that never ends
OF_A_THREAD_S = 1e-3


def run(
    kernel: Kernel,
    language: Language,
    inputs: Sequence[object],
    launch: Launch,
    schedules: Sequence[int] = SCHEDULES,
) -> tuple[np.ndarray, ...]:
    """The outputs, the same under every schedule.

    inputs: NumPy or MLX arrays, or numbers (0-d).  Raises KernelFault; EmulatorMissing without a C++ compiler.
    """
    arrays = [np.asarray(to_numpy(x) if is_mlx(x) else x) for x in inputs]
    if kernel.contiguous:
        arrays = [np.ascontiguousarray(x).reshape(x.shape) for x in arrays]
    arguments = tuple(
        Argument(name, dtype_name(x), x.ndim, x.size) for name, x in zip(kernel.inputs, arrays, strict=True)
    )
    body = kernel.body(language)
    label = f"{kernel.name} ({language})"
    if not body.strip():
        raise KernelFault(f"{label} has no body in this language")
    try:
        source = program(kernel, language, arguments, launch)
        if language == "metal":  # first, since it names the spaces in Metal's words
            address_spaces.check(kernel, arguments, launch)
        path = compiled(source, language)
        if language == "cuda":
            nvcc.check(kernel, arguments, launch)
    except (KernelFault, Untranslatable) as fault:
        said = f"{fault}{_of_few(str(fault), arguments)}"
        raise KernelFault(f"{label}: {quoted(said, body, kernel.header)}") from fault
    types = [numpy_dtype(dtype_name(dtype)) for dtype in launch.dtypes]
    given = b"".join(_given(arrays, arguments, body) + _outputs(launch, types))
    numbers = map(str, (*launch.grid, *launch.threadgroup, patience(launch), *schedules))
    done = subprocess.run([str(path), *numbers], input=given, capture_output=True, check=False)
    if done.returncode == FAULT:
        raise KernelFault(f"{label}: {quoted(done.stderr.decode(errors='replace'), body, kernel.header)}")
    if done.returncode:
        raise KernelFault(f"{label}: the emulator ended with code {done.returncode}: {done.stderr.decode()[:200]}")
    found = _read(done.stdout, launch, types, len(schedules))
    atomics = done.stdout[-1:] == b"\x01"
    for schedule, outputs in zip(schedules[1:], found[1:], strict=True):
        for name, first, other in zip(kernel.outputs, found[0], outputs, strict=True):
            if not atomics and first.tobytes() != other.tobytes():
                raise KernelFault(f"{label}: {name} depends on who runs first: schedules {schedules[0]} and {schedule}")
    return found[0]


def patience(launch: Launch) -> int:
    """Seconds that a kernel may take: few for few threads, so that nobody waits a minute to hear of an endless loop.

    A thread of ours takes some microseconds a schedule; a thousand times that leaves room for long loops.
    """
    return min(MOST_S, LEAST_S + math.ceil(OF_A_THREAD_S * math.prod(launch.grid)))


def _of_few(sentence: str, arguments: tuple[Argument, ...]) -> str:
    """Why a pointer is one to constant memory: the smallest inputs lie elsewhere than all others."""
    few = [argument.name for argument in arguments if argument.ndim and argument.size < FEW]
    if not few or "constant" not in sentence:
        return ""
    return f" ({few[0]} has fewer than {FEW} elements, which MLX puts into constant memory: `auto` fits both)"


def _given(arrays: list[np.ndarray], arguments: tuple[Argument, ...], body: str) -> list[bytes]:
    """The inputs in the order of the signature, each with its length."""
    parts: list[bytes] = []
    for x, argument in zip(arrays, arguments, strict=True):
        memory, strides = _memory(x)
        extras = {
            "shape": np.array(x.shape, np.int32),
            "strides": np.array(strides, np.int64),
            "ndim": np.array(x.ndim, np.int32),
        }
        for content in (memory, *(extras[what].tobytes() for what in extra_buffers(argument, body))):
            parts += [struct.pack("=QQ", len(content), 1), content]
    return parts


def _memory(x: np.ndarray) -> tuple[bytes, list[int]]:
    """The bytes that an array's elements lie in, and its strides in elements.  Raises ValueError for negative ones."""
    strides = [stride // x.itemsize for stride in x.strides]
    if x.flags.c_contiguous or not x.size:
        return x.tobytes(), strides
    if min(strides) < 0:
        raise ValueError("the emulator takes no negative strides: copy the array first")
    length = 1 + sum((n - 1) * stride for n, stride in zip(x.shape, strides, strict=True))
    return np.lib.stride_tricks.as_strided(x, (length,), (x.itemsize,)).tobytes(), strides


def _outputs(launch: Launch, types: list[np.dtype]) -> list[bytes]:
    parts: list[bytes] = []
    for shape, dtype in zip(launch.shapes, types, strict=True):
        count = math.prod(shape)
        if launch.init_value is None:
            parts.append(struct.pack("=QQ", count * dtype.itemsize, 0))
        else:
            content = np.full(count, launch.init_value).astype(dtype).tobytes()
            parts += [struct.pack("=QQ", len(content), 1), content]
    return parts


def _read(said: bytes, launch: Launch, types: list[np.dtype], times: int) -> list[tuple[np.ndarray, ...]]:
    runs: list[tuple[np.ndarray, ...]] = []
    at = 0
    for _ in range(times):
        outputs: list[np.ndarray] = []
        for shape, dtype in zip(launch.shapes, types, strict=True):
            count = math.prod(shape)
            outputs.append(np.frombuffer(said, dtype, count, at).reshape(shape).copy())
            at += count * dtype.itemsize
        runs.append(tuple(outputs))
    return runs


def run_everywhere(kernel: Kernel, language: Language, inputs: Sequence[object], launch: Launch) -> tuple[object, ...]:
    """What a Kernel's call does while it is emulated: every schedule; MLX arrays give MLX arrays."""
    outputs = run(kernel, language, inputs, launch)
    return tuple(from_numpy(y, "mlx") for y in outputs) if any(map(is_mlx, inputs)) else outputs
