"""Measure the peaks: all of them in about two seconds after compilation, or again at a few points in a moment."""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType

import numpy as np

from exp_core.machine.crew import BLOCK_S, Crew, Task, Way
from exp_core.machine.memory import available_memory
from exp_core.machine.processor import Processor, read_processor
from exp_core.machine.roofline import Bandwidth, Peaks
from exp_core.machine.threads import thread_limit
from exp_core.timing import Deadline, rest

BUDGET_S = 1.3  # for measuring again and again: the best of all passes counts, since disturbances only slow
PASSES = 3  # at least
PROBE_S = 0.1  # the same when a session begins
SMALLEST = 2**14  # bytes a thread: half of the smallest first-level cache of today
LARGEST = 2**28  # bytes of all threads together
GUESS = 2e10  # bytes a second of one thread: where the search for the number of repeats begins
FLOPS_REPEATS = 8  # a product of matrices comes within a few percent of the peak, which must therefore be exact
DTYPES = ("float64", "float32")
OPERATIONS = ("read", "copy", "triad", "in_place")

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
Key = tuple[float, str]  # a working set and what is done with it; the clock and the dtypes have the working set 0


@dataclass(slots=True)
class Probe:
    """A rate to be found: the tasks, how often to repeat them, flops or bytes in a unit of work, the best so far."""

    tasks: list[Task]
    repeats: int
    unit: float
    best: float = 0.0


def measure(threads: int) -> Peaks:
    """The best rates of that many threads together, of everything that is worth knowing."""
    processor = read_processor()
    sizes = working_sets(threads, processor, available_memory())
    points = tuple(Bandwidth(size, level=level_of(size, threads, processor)) for size in sizes)
    return _measure(threads, points, BUDGET_S, PASSES, FLOPS_REPEATS)


def measure_again(known: Peaks) -> Peaks:
    """The same at one point of each level, as quickly as it can be done."""
    return _measure(known.threads, known.middles, PROBE_S, 2, 1)


def _measure(threads: int, points: tuple[Bandwidth, ...], budget_s: float, passes: int, flops_repeats: int) -> Peaks:
    kernels = the_kernels()
    with thread_limit(1), Crew(threads) as crew:
        rest()
        probes = dict(_flops_probes(crew, kernels))
        buffers = crew.each(lambda: np.ones(int(points[-1].working_set) // threads // 8))  # touched by who will use it
        curve = [probe for point in points for probe in _bytes_probes(crew, kernels, buffers, point)]
        deadline = Deadline(budget_s)
        while passes > 0 or deadline.left():
            for probe in (*flops_repeats * tuple(probes.values()), *(probe for _, probe in curve)):
                probe.best = max(probe.best, probe.unit * crew.rate(probe.tasks, probe.repeats))
            passes -= 1
    best: dict[Key, float] = {}
    for key, probe in curve:
        best[key] = max(best.get(key, 0.0), probe.best)
    return Peaks(
        threads=threads,
        flops={dtype: probes[dtype].best for dtype in DTYPES},
        bandwidth=tuple(
            replace(point, read=read, copy=copy, triad=triad, in_place=in_place)
            for point in points
            for read, copy, triad, in_place in [[best[point.working_set, name] for name in OPERATIONS]]
        ),
        method="compiled" if numba_is_there() else "blas",
        clock_hz=probes["clock"].best / threads if "clock" in probes else None,
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


def level_of(size: float, threads: int, processor: Processor) -> str:
    """The cache that holds a working set: the first two belong to a core each, the third to all of them."""
    capacities = (
        ("L1", threads * (processor.l1d_bytes or 0)),
        ("L2", threads * (processor.l2_bytes or 0)),
        ("L3", processor.l3_bytes or 0),
    )
    return next((name for name, capacity in capacities if size <= capacity), "DRAM")


def numba_is_there() -> bool:
    """Whether the loops can be compiled."""
    return importlib.util.find_spec("numba") is not None


def the_kernels() -> ModuleType:
    """What is run to find the limits: compiled where that can be."""
    return importlib.import_module(f"exp_core.machine.{'_compiled' if numba_is_there() else '_numpy'}_kernels")


def _flops_probes(crew: Crew, kernels: ModuleType) -> Iterable[tuple[str, Probe]]:
    """The multiply-adds of each dtype, and the clock where the compiler is there to measure it."""
    makers: dict[str, Callable[[], tuple[Task, float]]] = {
        dtype: partial(kernels.multiply_adds, dtype) for dtype in DTYPES
    }
    if hasattr(kernels, "cycles"):
        makers["clock"] = kernels.cycles
    for name, make in makers.items():
        made = [make() for _ in range(crew.threads)]
        tasks = [task for task, _ in made]
        tasks[0](1)  # compiles
        yield name, Probe(tasks, crew.repeats(tasks), made[0][1])


def _bytes_probes(
    crew: Crew, kernels: ModuleType, buffers: list[Vector], point: Bandwidth
) -> Iterable[tuple[Key, Probe]]:
    """Every way to go through a working set; what goes past the caches only where they do not hold it."""
    elements = int(point.working_set) // crew.threads // 8
    for name in OPERATIONS:
        for way in ways_at(kernels, name, point.level):
            tasks: list[Task] = [partial(way.kernel, buffer[:elements]) for buffer in buffers]
            tasks[0](1)  # compiles
            guess = point.best or GUESS * crew.threads
            guess = max(1, round(guess / crew.threads * BLOCK_S / (8 * elements)))
            repeats = guess if point.best else crew.repeats(tasks, guess)
            yield (point.working_set, name), Probe(tasks, repeats, way.bytes_of(elements))


def ways_at(kernels: ModuleType, name: str, level: str) -> list[Way]:
    """The ways of an operation that make sense at a level of memory."""
    return [way for way in kernels.WAYS[name] if not way.past or level in ("L3", "DRAM")]
