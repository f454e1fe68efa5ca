"""What each thread of diffusion's CPU engine works on, for as long as it is trained."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dl_exp.engine.product import K_BLOCK
from dl_exp.engine.tile import columns
from dl_exp.generative._diffusion_schedule import clock

SPACE = 32  # numbers between what two threads write: two cache lines


class Memory(NamedTuple):
    """The threads' own memory, a thread's index first everywhere."""

    x: np.ndarray  # (rows, d + features): x_t and the clock
    aim: np.ndarray  # (rows, d): what the network is to guess
    wrong: np.ndarray  # (rows, d): its guess, and the loss's derivative by it
    work: np.ndarray  # (8, rows, h): activations, slopes, two deltas
    gradients: np.ndarray  # (P,)
    sums: np.ndarray
    panels: np.ndarray  # (K_BLOCK, columns of a tile)


def memory(parts, rows, size, d, h):
    """For so many threads with so many examples each, and ``size`` weights."""

    def empty(*sizes):
        return np.empty((parts, *sizes), np.float32)

    return Memory(
        empty(rows, d + clock().shape[1]), empty(rows, d), empty(rows, d), empty(8, rows, h), empty(size + SPACE),
        empty(SPACE), empty(K_BLOCK, columns(4)),
    )  # fmt: skip
