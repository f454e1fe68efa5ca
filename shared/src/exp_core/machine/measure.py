"""Measure the peaks: at most about two seconds, after compilation."""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from exp_core.machine.crew import BLOCK_S, Crew, Task
from exp_core.machine.memory import available_memory
from exp_core.machine.processor import Processor, read_processor
from exp_core.machine.roofline import Bandwidth, Peaks
from exp_core.machine.threads import thread_limit
from exp_core.timing import Deadline, rest

BUDGET_S = 1.1  # for measuring again and again: the best of all passes counts, since disturbances only slow
PASSES = 3  # at least
SMALLEST = 2**14  # bytes a thread: half of the smallest first-level cache of today
LARGEST = 2**28  # bytes of all threads together
GUESS = 2e10  # bytes a second of one thread: where the search for the number of repeats begins
FLOPS_REPEATS = 8  # a product of matrices comes within a few percent of the peak, which must therefore be exact
OPERATIONS = ("read", "copy", "triad")

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(slots=True)
class Probe:
    """A rate to be found: the tasks, how often to repeat them, flops or bytes in a unit of work, the best so far."""

    tasks: list[Task]
    repeats: int
    unit: float
    best: float = 0.0


def measure(threads: int) -> Peaks:
    """The best rates of that many threads together, of everything that is worth knowing."""
    compiled = _numba_is_there()
    kernels = importlib.import_module(f"exp_core.machine.{'_compiled' if compiled else '_numpy'}_kernels")
    sizes = working_sets(threads, read_processor(), available_memory())
    with thread_limit(1), Crew(threads) as crew:
        rest()
        probes = {dtype: _flops_probe(crew, kernels, dtype) for dtype in ("float64", "float32")}
        buffers = _buffers(crew, sizes[-1] // threads)
        curve = {
            (size, name): _bytes_probe(crew, kernels, name, buffers, size) for size in sizes for name in OPERATIONS
        }
        deadline, passes = Deadline(BUDGET_S), 0
        while passes < PASSES or deadline.left():
            for probe in (*FLOPS_REPEATS * tuple(probes.values()), *curve.values()):
                probe.best = max(probe.best, probe.unit * crew.rate(probe.tasks, probe.repeats))
            passes += 1
    return Peaks(
        threads=threads,
        flops={dtype: probe.best for dtype, probe in probes.items()},
        bandwidth=tuple(Bandwidth(size, *(curve[size, name].best for name in OPERATIONS)) for size in sizes),
        method="compiled" if compiled else "blas",
    )


def working_sets(threads: int, processor: Processor, available: float) -> list[int]:
    """Bytes of all threads together, ascending: from within the first cache to eight times the last one.

    A cache that does not replace the oldest line first still serves part of a set four times its size.  Steps are
    $\\sqrt2$ in the caches, where the rate may fall at any of them, and 2 beyond.
    """
    last_cache = max(processor.l3_bytes or 0, processor.l2_bytes or 0, 2**24)
    largest = min(8 * last_cache, LARGEST, available / 8)
    sizes = [SMALLEST * threads]
    while (larger := sizes[-1] * (math.sqrt(2) if sizes[-1] < 2 * last_cache else 2)) <= largest:
        sizes.append(int(larger / threads / 64) * threads * 64)
    return sizes


def _numba_is_there() -> bool:
    return importlib.util.find_spec("numba") is not None


def _flops_probe(crew: Crew, kernels: ModuleType, dtype: str) -> Probe:
    kernel: Task = getattr(kernels, f"multiply_add_{dtype}")
    kernel(1)  # compiles
    tasks = [kernel] * crew.threads
    return Probe(tasks, crew.repeats(tasks), kernels.multiply_add_flops(int(dtype[-2:])))


def _buffers(crew: Crew, size: int) -> list[Vector]:
    """One block of memory for each thread, touched first by that thread."""
    return crew.each(lambda: np.ones(size // 8))


def _bytes_probe(crew: Crew, kernels: ModuleType, name: str, buffers: list[Vector], size: int) -> Probe:
    kernel: Callable[[Vector, int], object] = getattr(kernels, name)
    elements = size // crew.threads // 8

    def task(buffer: Vector) -> Task:
        part = buffer[:elements]
        return lambda repeats: kernel(part, repeats)

    tasks = [task(buffer) for buffer in buffers]
    tasks[0](1)  # compiles
    parts = 1 + OPERATIONS.index(name)
    guess = max(1, round(GUESS * BLOCK_S / (8 * elements)))
    return Probe(tasks, crew.repeats(tasks, guess), elements // parts * parts * 8)
