"""The limit in turns with those that are held against it: contestants of the race that do nothing but move bytes, or
nothing but multiply and add.

A virtual machine shares its memory with neighbours whom nobody sees: the same loop was found at half its rate one tenth
of a second later, and the machine's own record at half or twice of what the next hour had.  Between processes, or
between large pages and small ones, there was no difference.  So a fraction of the limit is measured as every other
ratio here is: both in the same rounds.  What a rate is depends on how large the working set is, and on whether it is
written to: where memory only read delivers 44 GB/s, it copies and multiplies in place at 55 to 66, counted as STREAM
counts, since it has two ways, one for each direction.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Literal

import numpy as np

from exp_core.experiment import Skip
from exp_core.machine.crew import BLOCK_S, Crew, Task
from exp_core.machine.measure import (
    DTYPES,
    GUESS,
    OPERATIONS,
    SMALLEST,
    Vector,
    level_of,
    numba_is_there,
    the_kernels,
    ways_at,
)
from exp_core.machine.memory import available_memory
from exp_core.machine.processor import Processor, read_processor

What = Literal["read", "write", "any", "float64", "float32"]
KINDS = {"read": ("read",), "write": ("copy", "triad", "in_place"), "any": OPERATIONS}
STEPS = 4  # sizes that are told apart between one and its double: a smaller one is never slower
LARGEST = 2**29  # bytes of all threads together: beyond it no cache serves any part worth counting
SHARE = 1 / 8  # of the free memory
LOADING = 2**29  # bytes of Numba, its BLAS and the threads; OpenBLAS waits for ever for memory that it cannot have
TRIES = 4  # of each way, before the fastest is chosen
FLOPS = 1e6  # in a unit of work


@dataclass(frozen=True, slots=True)
class Rate:
    """What is to be found: bytes a second through a working set (read only; written to; whichever is faster), or
    operations a second in a dtype, where the working set is 0.
    """

    what: What
    working_set: float = 0.0

    @classmethod
    def of_memory(cls, writes: bool | None, working_set: float, threads: int) -> Rate:
        """The rate for traffic of a kind; working sets that differ by less than a fifth share one."""
        size = min(max(working_set, SMALLEST * threads), LARGEST)
        size = 2 ** (math.floor(STEPS * math.log2(size)) / STEPS)
        return cls("any" if writes is None else "write" if writes else "read", size)

    @property
    def amount(self) -> float:
        """Bytes, or operations, of one unit of work: what a contestant's sample tells the seconds of."""
        return self.working_set or FLOPS

    @property
    def name(self) -> str:
        """Under which it is in the race: ``"read 1.05e+06 bytes"``."""
        return f"{self.what} {self.working_set:.3g} bytes" if self.working_set else f"{self.what} operations"


@dataclass(frozen=True, slots=True)
class Pacemaker:
    """A sampler (``timing.Sampler``) that tells how long one unit of a rate's work takes all threads together."""

    crew: Crew
    tasks: list[Task]
    unit: float  # bytes or operations of one thread's task, done once
    amount: float

    def sample(self, calls: int) -> float:
        """Seconds for so many units, at the rate of all threads while all of them are at work."""
        repeats = max(1, round(calls * self.amount / (self.unit * self.crew.threads)))
        rate = self.unit * self.crew.rate(self.tasks, repeats, margin=1)
        return calls * self.amount / rate if rate else math.inf


def out_of_turn(rates: Iterable[Rate]) -> Skip | None:
    """Why these cannot be found in turns with others here; None if they can."""
    if not numba_is_there():  # the BLAS of each thread would have to be held back, and with it that of the others
        return Skip("that takes Numba", "pip install numba")
    largest, free = _largest(rates), available_memory()
    if largest > SHARE * free or free < LOADING:
        size = (largest + LOADING) / 1e9
        return Skip(f"that may take {size:.2g} GB, which is too much of what is free", "choose smaller sizes")
    return None


@contextmanager
def pacemakers(rates: Iterable[Rate], threads: int) -> Iterator[dict[str, Pacemaker]]:
    """One for each rate, ready to be raced as long as the block lasts; none if they cannot be had (``out_of_turn``)."""
    wanted = sorted(set(rates), key=lambda rate: (rate.working_set, rate.what))
    if not wanted or out_of_turn(wanted):
        yield {}
        return
    with Crew(threads) as crew:
        kernels, processor = the_kernels(), read_processor()
        buffers = crew.each(lambda: np.ones(int(_largest(wanted)) // threads // 8))  # touched by who will use it
        yield {rate.name: _pacemaker(rate, crew, kernels, processor, buffers) for rate in wanted}


def _largest(rates: Iterable[Rate]) -> float:
    return max((rate.working_set for rate in rates), default=0.0)


def _pacemaker(rate: Rate, crew: Crew, kernels: ModuleType, processor: Processor, buffers: list[Vector]) -> Pacemaker:
    if rate.what in DTYPES:
        made = [kernels.multiply_adds(rate.what) for _ in range(crew.threads)]
        tasks = [task for task, _ in made]
        tasks[0](1)  # compiles
        return Pacemaker(crew, tasks, made[0][1], rate.amount)
    elements = int(rate.working_set) // crew.threads // 8
    level = level_of(rate.working_set, crew.threads, processor)
    guess = max(1, round(GUESS * BLOCK_S / (8 * elements)))
    found: list[tuple[float, Pacemaker]] = []
    for name in KINDS[rate.what]:
        for way in ways_at(kernels, name, level):
            tasks = [partial(way.kernel, buffer[:elements]) for buffer in buffers]
            tasks[0](1)
            unit = float(way.bytes_of(elements))
            best = max(unit * crew.rate(tasks, guess, margin=1) for _ in range(TRIES))
            found.append((best, Pacemaker(crew, tasks, unit, rate.amount)))
    return max(found, key=lambda pair: pair[0])[1]
