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

from exp_core.aligned import LINE
from exp_core.compiled import FUSE, njit, prange
from exp_core.tasks import WORKERS, take
from maths_exp.hardware._stencil_in_place import sweep

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
    """On all cores, each its own rows, in place: one grid, swept down and up in turns, and asked for ahead."""
    import numba

    new = np.empty_like(u) if steps else u.copy()  # not touched before the threads do: each waits for its own pages
    parts = min(numba.get_num_threads(), u.shape[0])
    return _rows_in_threads(u, new, np.empty((2, parts, 2, u.shape[1]), u.dtype), alpha, steps)


@njit(parallel=True)
def _rows_in_threads(u, new, ends, alpha, steps):
    """ends: the first and last row of each part, as the neighbours need them: before this step, and before the next."""
    c, alpha = weights(u, alpha)
    (rows, columns), parts, line = u.shape, ends.shape[1], LINE // u.itemsize
    for part in range(parts):
        ends[0, part, 0], ends[0, part, 1] = u[part * rows // parts], u[(part + 1) * rows // parts - 1]
    old = u
    for step in range(steps):
        # a sweep begins where the last one ended: there the rows are still in the cache
        towards, now, later = 1 - 2 * (step % 2), step % 2, 1 - step % 2
        for part in prange(parts):
            begin, end = part * rows // parts, (part + 1) * rows // parts
            room = np.empty(columns + 2 * line, u.dtype)
            kept = room[line + (new.ctypes.data - room.ctypes.data) // u.itemsize % line :]  # its lines begin as new's
            above, below = ends[now, max(part - 1, 0), 1], ends[now, min(part + 1, parts - 1), 0]
            before, after = (above, below) if towards > 0 else (below, above)
            sweep(old, new, begin, end, before, after, kept, towards, c, alpha)
            ends[later, part, 0], ends[later, part, 1] = new[begin], new[end - 1]
        old = new
    return new


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
