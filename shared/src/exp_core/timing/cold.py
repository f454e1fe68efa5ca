"""Cold caches: what a call costs whose data nobody has touched for a while.

Before each call every core's caches are filled with something else: a thread a core walks over, and writes to, a buffer
of its own that together are larger than the last cache.  The call that follows is timed alone; the walk is not.
Page tables grow cold on the way, too, and the threads of a pool fall asleep: to wake them is part of such a call.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from exp_core.machine import usable_cores
from exp_core.machine.processor import read_processor
from exp_core.timing.sampler import Sampler

TIMES = 2  # the last cache's size that is walked over: caches do not forget in the order in which they learnt
UNKNOWN_CACHE = 2**25  # bytes, where the system does not tell


class Cold:
    """Another sampler's calls, each after all caches were filled with something else."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def sample(self, calls: int) -> float:
        """Seconds for so many calls, the flushing before each not counted."""
        seconds = 0.0
        for _ in range(calls):
            flush()
            seconds += self._sampler.sample(1)
        return seconds


def flush() -> None:
    """Fill the caches of all cores."""
    threads, buffers = _walkers()
    list(threads.map(_walk, buffers))


def _walk(buffer: NDArray[np.int8]) -> None:
    buffer += 1  # without the interpreter's lock; read and written, so that no cache may keep anything else


@lru_cache(maxsize=1)
def _walkers() -> tuple[ThreadPoolExecutor, list[NDArray[np.int8]]]:
    """A thread and a buffer for each core; the private caches and a share of the common one fit into each buffer."""
    cores, processor = usable_cores(), read_processor()
    sizes = [size for size in (processor.l2_bytes, processor.l3_bytes) if size] or [UNKNOWN_CACHE]
    each = TIMES * max(sizes) if len(sizes) == 1 else TIMES * (sizes[0] + sizes[1] // cores)
    return ThreadPoolExecutor(cores, "flush"), [np.zeros(each, np.int8) for _ in range(cores)]
