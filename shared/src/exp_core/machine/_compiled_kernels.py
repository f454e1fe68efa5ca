"""What is run to find the limits, compiled: tasks that do a unit of work so many times, without holding the GIL."""

from __future__ import annotations

from functools import partial

import numpy as np

from exp_core.compiled import REORDER, njit
from exp_core.machine.chains import CYCLES, advance, most_chains, single_cycles, vector_registers
from exp_core.machine.crew import Task, Way
from exp_core.machine.streams import COPY, TRIAD, copy, scale, stream_past_caches, triad


def multiply_adds(dtype: str) -> tuple[Task, float]:
    """Chains of multiply-adds, as many as stay in registers; and the operations in one step of all of them."""
    together = most_chains()
    x = np.zeros(together * vector_registers()[0] // np.dtype(dtype).itemsize, dtype)
    one = x.dtype.type(1)
    return lambda steps: advance(x, one, one, steps, together), 2.0 * x.size


def cycles() -> tuple[Task, float]:
    """A chain of instructions of one cycle each, and how many of them are in a step."""
    return lambda steps: single_cycles(1, 3, 5, steps), float(CYCLES)


@njit(fastmath=REORDER)
def read_often(x, repeats):
    """The sum of everything; in one function, since one that only reads might be called once for all repeats."""
    total = 0.0
    for _ in range(repeats):
        for i in range(x.size):
            total += x[i]
    return total


@njit
def copy_often(x, repeats):
    """One half onto the other."""
    n = x.size // 2
    for _ in range(repeats):
        copy(x[:n], x[n : 2 * n])


@njit
def triad_often(x, repeats):
    """a = b + s c on the three thirds."""
    n = x.size // 3
    for _ in range(repeats):
        triad(x[:n], x[n : 2 * n], x[2 * n : 3 * n], 0.5)


@njit
def past_caches_often(operation, x, repeats):
    """The same two, with a written past the caches."""
    n = x.size // (2 if operation == COPY else 3)
    for _ in range(repeats):
        stream_past_caches(operation, x[:n], x[n : 2 * n], x[x.size - n :], 0.5)


@njit
def in_place_often(x, repeats):
    """x = s x: what is written was read before, and memory moves nothing that nobody asked for."""
    for _ in range(repeats):
        scale(x, x, -1.0)  # by 1 it would be left out


# each of them, and how else it can be done where the working set is larger than a core's own caches
WAYS = {
    "read": (Way(read_often, 1, 1),),
    "copy": (Way(copy_often, 2, 2), Way(partial(past_caches_often, COPY), 2, 2, past=True)),
    "triad": (Way(triad_often, 3, 3), Way(partial(past_caches_often, TRIAD), 3, 3, past=True)),
    "in_place": (Way(in_place_often, 1, 2),),
}
