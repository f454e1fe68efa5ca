"""Arrays that begin with a cache line: a vector across two lines costs two loads."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

LINE = 64  # bytes of a cache line: of x86, and a divisor of those of others

Memory = NDArray[np.uint8]


def aligned(
    shape: Sequence[int], dtype: DTypeLike, make: Callable[..., Memory] = np.empty
) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """Such an array.  make: what fills it, np.empty or np.zeros.  Raises MemoryError."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    return from_a_line_on(make(size + LINE, np.uint8), size).view(dtype).reshape(shape)


def from_a_line_on(memory: Memory, size: int) -> Memory:
    """So many bytes of a memory that has a line more than that."""
    start = -memory.ctypes.data % LINE
    return memory[start : start + size]
