"""The order of the data: a function of the seed and of a step's number, so that a run can go on anywhere."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Indices: TypeAlias = "npt.NDArray[np.int64]"


def epochs(n: int, batch: int, seed: int, steps: range) -> Indices:
    """Which of n examples each step takes, shape (len(steps), batch): each once an epoch, in ever new order.

    The permutations of successive epochs stand one behind the other, and a step takes the next ``batch`` of them, so
    that no example is left out where n is no multiple of the batch.
    """
    first, last = steps.start * batch, steps.stop * batch
    orders = [_order(n, seed, epoch) for epoch in range(first // n, (last - 1) // n + 1)] if last > first else []
    line = np.concatenate([np.zeros(0, np.int64), *orders])
    offset = first // n * n
    return line[first - offset : last - offset].reshape(len(steps), batch)


def windows(n: int, length: int, batch: int, seed: int, steps: range) -> Indices:
    """Where each step's windows of some length begin in a line of n symbols, shape (len(steps), batch): at random.

    Raises ValueError if no window fits.
    """
    if n < length:
        raise ValueError(f"a text of {n} symbols has no window of {length}: choose a longer text or a shorter window")
    draws = [np.random.default_rng((seed, 1, step)).integers(0, n - length + 1, batch) for step in steps]
    return np.array(draws, np.int64).reshape(len(steps), batch)


def _order(n: int, seed: int, epoch: int) -> Indices:
    return np.random.default_rng((seed, 0, epoch)).permutation(n)
