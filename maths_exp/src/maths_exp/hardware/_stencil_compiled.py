"""The five-point step compiled: row by row, on all cores, and in tiles that take many steps at a time.

A step reads each number and writes each number: nothing is used twice once the neighbours' rows are in cache, so that a
grid that does not fit into the cache is bound by memory.  The only way past that is to take several steps while a piece
of the grid is in cache.  A tile of it needs, for T steps, a margin of T points all around; what is computed in the
margins is computed by the neighbouring tiles as well, and that is the price: nobody has to wait for anybody.

Source    M. Frigo, V. Strumpen, Cache oblivious stencil computations, ICS (2005).  A. Nguyen et al., 3.5-D blocking
          optimization for stencil computations on modern CPUs and GPUs, SC (2010).
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import FUSE, njit, prange
from exp_core.machine.streams import wait_for_stores
from exp_core.tasks import WORKERS, take
from maths_exp.hardware._stencil_past_caches import step_row_past_caches

PARTS = 64  # of the rows, dealt to the threads
CACHED = 2**25  # bytes: of a smaller plate the last cache holds a good part until the next step
DEPTH = 32  # steps that a tile takes at a time
ROWS, COLUMNS = 512, 512  # of a tile without its margins: three rows of each step, with them, are 440 kB in float64


@njit(fastmath=FUSE)
def step_row(u, north, here, south, j, new, k, l, count, c, alpha):
    """One step of the points u[here, j:][:count], written to new[k, l:]; north and south are the rows beside it."""
    # slices: no index can be negative, which Numba would have to ask of every one, and LLVM then not vectorise
    middle, above, below = u[here, j : j + count], u[north, j : j + count], u[south, j : j + count]
    west, east, result = u[here, j - 1 : j - 1 + count], u[here, j + 1 : j + 1 + count], new[k, l : l + count]
    for x in range(count):
        result[x] = c * middle[x] + alpha * ((above[x] + below[x]) + (west[x] + east[x]))


def grid(u):
    """Another grid, with the edge of the plate, which stays as it is.

    NumPy's memory, not Numba's: it asks the system for large pages, and small ones cost as much as several steps.
    """
    new = np.empty_like(u)
    new[0], new[-1] = u[0], u[-1]
    new[:, 0], new[:, -1] = u[:, 0], u[:, -1]
    return new


def two_grids(u, rounds):
    """Those that a plate goes back and forth between; the second is the first where one round is all."""
    new = grid(u)
    return new, grid(u) if rounds > 1 else new


@njit
def weights(u, alpha):
    """What a point keeps, and what it takes of each neighbour, in the type of the grid."""
    alpha = u.dtype.type(alpha)
    return u.dtype.type(1) - u.dtype.type(4) * alpha, alpha


def rows_compiled(u, alpha, steps):
    """The loops compiled: one instruction for eight neighbours, and two grids that change places."""
    return _rows(u, *two_grids(u, steps), alpha, steps)


@njit
def _rows(u, new, spare, alpha, steps):
    c, alpha = weights(u, alpha)
    old = u
    for _ in range(steps):
        for i in range(1, u.shape[0] - 1):
            step_row(old, i - 1, i, i + 1, 1, new, i, 1, u.shape[1] - 2, c, alpha)
        old, new, spare = new, spare, new
    return old


def rows_threads(u, alpha, steps):
    """On all cores, each its own rows; a plate too large for caches is written past them, and asked for ahead."""
    new = np.empty_like(u)  # not touched before the threads do: each then has to wait for its own pages alone
    return _rows_in_threads(u, new, np.empty_like(u) if steps > 1 else new, alpha, steps, u.nbytes >= CACHED)


@njit(parallel=True)
def _rows_in_threads(u, new, spare, alpha, steps, past):
    c, alpha = weights(u, alpha)
    old, rows = u, u.shape[0]
    for _ in range(steps):
        for part in prange(PARTS):
            some_rows(old, part * rows // PARTS, (part + 1) * rows // PARTS, new, c, alpha, past)
        old, new, spare = new, spare, new
    return old


@njit
def some_rows(old, begin, end, new, c, alpha, past):
    """One step of the rows from begin to end; the edge of the plate goes along."""
    count = old.shape[1] - 2
    for i in range(begin, end):
        if i == 0 or i == old.shape[0] - 1 or count < 1:
            new[i] = old[i]
            continue
        if past:
            step_row_past_caches(old, i, new, c, alpha)
        else:
            step_row(old, i - 1, i, i + 1, 1, new, i, 1, count, c, alpha)
        new[i, 0], new[i, -1] = old[i, 0], old[i, -1]
    if past:
        wait_for_stores()


@njit
def advance_tile(u, out, ring, top, bottom, left, right, steps, c, alpha):
    """Take some steps of u[top:bottom, left:right] to out, all of them in one walk down the rows.

    When row r of u comes in, row r - t of step t can be made, for all t.  Of each step three rows are kept in the ring,
    row i in place 3t + i mod 3; there column j of the plate is column j + shift.
    """
    rows, columns = u.shape
    shift = DEPTH + 1 - left
    for coming in range(top - steps, bottom + steps):
        for t in range(steps + 1):
            i, margin = coming - t, steps - t  # step t is needed, and is right, in a margin of steps - t points
            if not max(top - margin, 0) <= i < min(bottom + margin, rows):
                continue
            j, end = max(left - margin, 1), min(right + margin, columns - 1)
            place = 3 * t + i % 3
            if t == 0 or i == 0 or i == rows - 1:
                ring[place, j - 1 + shift : end + 1 + shift] = u[i, j - 1 : end + 1]
                continue
            north, here, south = 3 * t - 3 + (i - 1) % 3, place - 3, 3 * t - 3 + (i + 1) % 3
            if t == steps:
                step_row(ring, north, here, south, j + shift, out, i, j, end - j, c, alpha)
                continue
            step_row(ring, north, here, south, j + shift, ring, place, j + shift, end - j, c, alpha)
            if j == 1:
                ring[place, shift] = u[i, 0]
            if end == columns - 1:
                ring[place, end + shift] = u[i, end]


@njit
def work(u, out, counter, steps, c, alpha):
    """What one worker does: tile after tile, as long as there are any, in the same ring."""
    rows, columns = u.shape
    across = (columns - 2 + COLUMNS - 1) // COLUMNS
    tiles = (rows - 2 + ROWS - 1) // ROWS * across
    tile = take(counter)
    if tile >= tiles:
        return
    ring = np.empty((3 * DEPTH, COLUMNS + 2 * DEPTH + 2), u.dtype)
    while tile < tiles:
        top, left = 1 + tile // across * ROWS, 1 + tile % across * COLUMNS
        bottom, right = min(top + ROWS, rows - 1), min(left + COLUMNS, columns - 1)
        advance_tile(u, out, ring, top, bottom, left, right, steps, c, alpha)
        tile = take(counter)


def time_tiles(u, alpha, steps):
    """DEPTH steps of a tile while it is in cache, then the next tile: memory sees the plate once in DEPTH steps."""
    return _tiles_in_threads(u, *two_grids(u, -(-steps // DEPTH)), alpha, steps)


@njit(parallel=True)
def _tiles_in_threads(u, new, spare, alpha, steps):
    c, alpha = weights(u, alpha)
    old = u
    for first in range(0, steps, DEPTH):
        counter = np.zeros(1, np.int64)
        for _ in prange(WORKERS):
            work(old, new, counter, min(DEPTH, steps - first), c, alpha)
        old, new, spare = new, spare, new
    return old
