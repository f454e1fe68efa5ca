"""Memory for large results that is used again when nobody holds the result any more.

The system clears each page that it hands out, which takes as long as writing the result, and takes it back when the
array is collected.  glibc keeps what is smaller than ``LARGE`` for the next call; MLX keeps what is larger, too.  Here
an array's memory comes back by itself, when the last view of it is collected, and waits for the next array of its size:

    y = reused.empty(x.shape, x.dtype)          # like np.empty, and it begins with a cache line

Only a few wait (``KEPT``), none that is large beside the free memory (``SHARE``), and ``forget`` lets go of all.

Source: glibc's manual, "Memory Allocation Tunables", glibc.malloc.mmap_threshold; its largest own choice is 32 MiB.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import DTypeLike

from exp_core.aligned import LINE, Memory, aligned, from_a_line_on
from exp_core.machine.memory import available_memory

LARGE = 2**25  # bytes from which on the C library gives memory back to the system
KEPT = 2  # results that wait for their successors: one is often still held while the next one is computed
SHARE = 1 / 16  # of the free memory: no more waits

# Appending and taking are each one step that no other thread can interrupt; a lock could be held by the very thread in
# which an array is collected.
_WAITING: deque[Memory] = deque(maxlen=KEPT)


def empty(shape: Sequence[int], dtype: DTypeLike) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """An array of arbitrary contents that begins with a cache line.  Raises MemoryError."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size < LARGE:
        return aligned(shape, dtype)
    return np.asarray(_Loan(size, _waiting(size))).view(dtype).reshape(shape)


def forget() -> None:
    """Let go of all that waits: for who needs the memory, or counts it."""
    _WAITING.clear()


class _Loan:
    """What an array and all its views hold: when the last of them is collected, the memory waits for another one."""

    def __init__(self, size: int, memory: Memory | None) -> None:
        self.comes_back = memory is not None or size <= SHARE * available_memory()
        self.memory = _fresh(size) if memory is None else memory
        self.__array_interface__ = from_a_line_on(self.memory, size).__array_interface__

    def __del__(self) -> None:
        with suppress(AttributeError, TypeError):  # of a loan never made, or of names gone where Python ends
            if self.comes_back:
                _WAITING.append(self.memory)


def _waiting(size: int) -> Memory | None:
    """Memory for that size that waits, or None; what is of another size goes on waiting."""
    for _ in range(KEPT):
        with suppress(IndexError):  # another thread has taken it
            memory = _WAITING.popleft()
            if memory.nbytes == size + LINE:
                return memory
            _WAITING.append(memory)
    return None


def _fresh(size: int) -> Memory:
    try:
        return np.empty(size + LINE, np.uint8)
    except MemoryError:
        forget()
        return np.empty(size + LINE, np.uint8)
