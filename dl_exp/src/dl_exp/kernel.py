"""A kernel: a body of Metal and one of CUDA side by side, and whoever can run them here.

    DOUBLE = Kernel("double", inputs=("x",), outputs=("y",), metal=METAL, cuda=CUDA)

    def kernel(x):
        (y,) = DOUBLE(x, template={"T": x.dtype}, grid=(x.size, 1, 1), threadgroup=(256, 1, 1),
                      shapes=(x.shape,), dtypes=(x.dtype,))
        return y

MLX writes the signature around a body (``mx.fast.metal_kernel``, ``mx.fast.cuda_kernel``): inputs and outputs are
pointers of those names, ``template`` gives types and numbers, and Metal's thread attributes are there if the body
names them.  Inside ``dl_exp.emulator.emulating("metal")`` or ``("cuda")`` the same call runs on the processor.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Language = Literal["metal", "cuda"]
Three = tuple[int, int, int]
LANGUAGES: tuple[Language, ...] = ("metal", "cuda")

EMULATED: ContextVar[Language | None] = ContextVar("EMULATED", default=None)  # set by emulator.emulating
LAUNCHES: ContextVar[list[Launched] | None] = ContextVar("LAUNCHES", default=None)  # set by first_launch
INSTEAD: ContextVar[Mapping[Kernel, Kernel]] = ContextVar("INSTEAD")  # set by instead_of


class KernelUnavailable(RuntimeError):
    """No GPU that could run it, and nobody asked for the emulator; one sentence with the remedy."""


@dataclass(frozen=True)
class Launch:
    """How a kernel is called.

    template: types and numbers that the body knows by name.     grid: threads in all.     threadgroup: of a group.
    shapes, dtypes: of the outputs.     init_value: what the outputs hold before; None: whatever was in that memory.
    """

    template: Mapping[str, object]
    grid: Three
    threadgroup: Three
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[object, ...]
    init_value: float | None = None

    def __post_init__(self) -> None:
        threads = self.threadgroup[0] * self.threadgroup[1] * self.threadgroup[2]
        if not 1 <= threads <= 1024 or min(self.threadgroup) < 1:
            raise ValueError(f"a threadgroup of {self.threadgroup} is {threads} threads: it may have 1 to 1024")
        if min(self.grid) < 1:
            raise ValueError(f"a grid of {self.grid} has no threads")


class NotLaunched(Exception):
    """The launch was noted, and nothing was run."""


@dataclass(frozen=True)
class Launched:
    """A kernel with what it was called with."""

    kernel: Kernel
    inputs: tuple[object, ...]
    launch: Launch


@dataclass(frozen=True)
class Kernel:
    """The bodies of one kernel.

    inputs, outputs: the names that the bodies use.
    header: functions for both bodies; ``#ifdef __METAL_VERSION__`` tells the languages apart.
    atomic_outputs: Metal's outputs are ``device atomic<T>*``.
    contiguous: inputs are copied to row-major order first if they are not (``ensure_row_contiguous``).
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    metal: str
    cuda: str
    header: str = ""
    atomic_outputs: bool = False
    contiguous: bool = True

    def body(self, language: Language) -> str:
        """The body in one of the languages."""
        return self.metal if language == "metal" else self.cuda

    def __call__(
        self,
        *inputs: object,
        template: Mapping[str, object],
        grid: Three,
        threadgroup: Three,
        shapes: Sequence[tuple[int, ...]],
        dtypes: Sequence[object],
        init_value: float | None = None,
    ) -> tuple[object, ...]:
        """The outputs, as arrays of MLX; as NumPy arrays where it is emulated and the inputs are.

        Raises KernelUnavailable where there is no GPU, emulator.KernelFault where the emulator finds one, ValueError
        for a launch that no GPU takes.
        """
        kernel = INSTEAD.get({}).get(self, self)
        launch = Launch(template, grid, threadgroup, tuple(map(tuple, shapes)), tuple(dtypes), init_value)
        if len(inputs) != len(self.inputs):
            raise ValueError(
                f"{self.name} takes {len(self.inputs)} inputs ({', '.join(self.inputs)}), not {len(inputs)}"
            )
        if (noted := LAUNCHES.get()) is not None:
            noted.append(Launched(self, tuple(inputs), launch))
            raise NotLaunched
        if language := EMULATED.get():
            from dl_exp.emulator.launch import run_everywhere

            return run_everywhere(kernel, language, inputs, launch)
        return _built(kernel, _gpu(self.name))(
            inputs=list(inputs),
            template=list(launch.template.items()),
            grid=grid,
            threadgroup=threadgroup,
            output_shapes=list(launch.shapes),
            output_dtypes=list(launch.dtypes),
            init_value=init_value,
        )


@contextmanager
def instead_of(kernel: Kernel, other: Kernel) -> Iterator[None]:
    """While entered, calls of one kernel run another one's bodies: a reader's own, or a sabotaged one in a test."""
    token = INSTEAD.set({**INSTEAD.get({}), kernel: other})
    try:
        yield
    finally:
        INSTEAD.reset(token)


def first_launch(call: Callable[[], object]) -> Launched | None:
    """How a call launches its first kernel, without running it; None if it launches none."""
    noted: list[Launched] = []
    token = LAUNCHES.set(noted)
    try:
        call()
    except NotLaunched:
        pass
    finally:
        LAUNCHES.reset(token)
    return noted[0] if noted else None


def _gpu(name: str) -> Language:
    """The language of MLX's default device.  Raises KernelUnavailable."""
    import mlx.core as mx

    if mx.default_device() == mx.gpu:
        for language in LANGUAGES:
            if getattr(mx, language).is_available():
                return language
    raise KernelUnavailable(f"the kernel {name} needs a GPU; emulator.emulating('metal') or ('cuda') runs it anywhere")


@functools.cache
def _built(kernel: Kernel, language: Language):
    """MLX's callable: made when it is first needed, since without that GPU it cannot be made at all."""
    import mlx.core as mx

    common = {
        "name": kernel.name,
        "input_names": list(kernel.inputs),
        "output_names": list(kernel.outputs),
        "source": kernel.body(language),
        "header": kernel.header,
        "ensure_row_contiguous": kernel.contiguous,
    }
    if language == "metal":
        return mx.fast.metal_kernel(**common, atomic_outputs=kernel.atomic_outputs)
    return mx.fast.cuda_kernel(**common)
