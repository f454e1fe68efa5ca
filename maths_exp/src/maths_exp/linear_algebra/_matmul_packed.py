"""Matrix multiplication as BLAS does it: blocks of B packed in the order of use, and a kernel that lives in registers.

Five loops around a multiply-add, from the outside: blocks of columns of B and C, blocks of k, tiles from top to bottom,
tiles from left to right, and k within a block.  BLAS packs A too; here its rows are read where they are: the
kernel takes one element of each in turn, so that every row is a stream, and a tile's rows of A stay in the first-level
cache while the packed block of B passes by.

Source: K. Goto, R. van de Geijn, Anatomy of High-Performance Matrix Multiplication, ACM TOMS 34 (2008), article 12.
        F. Van Zee, R. van de Geijn, BLIS: A Framework for Rapidly Instantiating BLAS Functionality, ACM TOMS 41 (2015).
"""

from __future__ import annotations

import math
import threading

import numpy as np

from exp_core import Cost
from exp_core.aligned import aligned
from exp_core.compiled import njit, prange
from exp_core.vector.registers import registers
from exp_core.vector.tiles import copy_row, full_tile, low_tile, narrow_tile

K_BLOCK = 384  # rows of a packed block of B: eight rows of A as long as this fill most of the first-level cache
N_BLOCK = 1024  # and its columns: a block comes from the second- or third-level cache, one panel at a time
SMALL = 64**3  # multiply-adds that are done before a second thread has started

_kept = threading.local()


def packed_compiled(a, b):
    """Keep a tile of C in registers while k runs, and copy B into the order in which the tiles want it."""
    import numba

    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    c = np.empty((a.shape[0], b.shape[1]), a.dtype)
    host = registers()
    threads = numba.get_num_threads() if a.shape[0] * b.size > SMALL else 1
    if threads == 1:
        packed = workspace(packed_shape(*b.shape, a.itemsize), a.dtype)
        _blocks(a, b, c, packed, host.rows, host.lanes(a.itemsize))
    else:
        width = ceil_div(b.shape[1], threads) if b.shape[1] >= a.shape[0] else b.shape[1]
        packed = workspace((threads, *packed_shape(b.shape[0], width, a.itemsize)), a.dtype)
        _in_threads(a, b, c, packed, host.rows, host.lanes(a.itemsize))
    return c


def packed_shape(k, n, itemsize):
    """(panels, rows, columns) of a packed block: a panel is as wide as a tile; k and n are cut into equal blocks."""
    columns = registers().vectors * registers().lanes(itemsize)
    panels = ceil_div(n, columns)
    return ceil_div(panels, ceil_div(n, N_BLOCK)), ceil_div(k, ceil_div(k, K_BLOCK)), columns


def workspace(shape, dtype):
    """Memory for packed blocks, one for each calling thread and kept for its next call, as BLAS keeps its own.

    It is never more than a block a thread.  Without it, malloc may hand out new pages at each call, and each faults.
    """
    needed = math.prod(shape) * dtype.itemsize
    if not hasattr(_kept, "bytes") or _kept.bytes.size < needed:
        _kept.bytes = aligned((needed,), np.uint8)
    return _kept.bytes[:needed].view(dtype).reshape(shape)


@njit(parallel=True)
def _in_threads(a, b, c, packed, rows, lanes):
    """Each thread takes a part of the longer side of C and packs what it needs of B: none waits for another."""
    m, n = c.shape
    threads = packed.shape[0]
    for t in prange(threads):
        if n >= m:
            first, last = _part(n, lanes, t, threads), _part(n, lanes, t + 1, threads)
            top, bottom = 0, m
        else:
            top, bottom = _part(m, rows, t, threads), _part(m, rows, t + 1, threads)
            first, last = 0, n
        _blocks(a[top:bottom], b[:, first:last], c[top:bottom, first:last], packed[t], rows, lanes)


@njit
def _part(size, unit, t, threads):
    """Where part t of so many begins, in whole units."""
    units = (size + unit - 1) // unit
    return min(size, units * t // threads * unit)


@njit
def _blocks(a, b, c, packed, rows, lanes):
    """C = A B, one block of B after the other; the shape of ``packed`` says how large they are."""
    panels, k_block, columns = packed.shape
    m, n = c.shape
    for j in range(0, n, panels * columns):
        c_block = c[:, j : j + panels * columns]
        for p in range(0, a.shape[1], k_block):
            _pack(b[p : p + k_block, j : j + panels * columns], packed)
            for i in range(0, m, rows):
                _tiles(a[i : i + rows, p : p + k_block], packed, c_block[i : i + rows], p > 0, rows, lanes)


@njit
def _pack(b, packed):
    """Cut B into panels as wide as a tile, row after row: the kernel then reads straight on."""
    columns = packed.shape[2]
    whole = b.shape[1] // columns
    for p in range(b.shape[0]):
        for panel in range(whole):
            copy_row(b[p : p + 1, panel * columns :], packed[panel, p : p + 1])
        if whole * columns < b.shape[1]:
            packed[whole, p, :] = 0
            for j in range(whole * columns, b.shape[1]):
                packed[whole, p, j - whole * columns] = b[p, j]


@njit
def _tiles(a, packed, c, add, rows, lanes):
    """One row of tiles of C, from left to right."""
    columns = packed.shape[2]
    for panel in range((c.shape[1] + columns - 1) // columns):
        tile = c[:, panel * columns : (panel + 1) * columns]
        if tile.shape[0] == rows and tile.shape[1] == columns:
            full_tile(a, packed[panel], tile, add)
        else:
            _edge(a, packed[panel], tile, add, rows, lanes)


@njit
def _edge(a, b, c, add, rows, lanes):
    """What does not fill a tile: one vector wide, or one row high."""
    if c.shape[0] == rows:
        for j in range(0, c.shape[1], lanes):
            narrow_tile(a, b[:, j:], c[:, j:], add)
    else:
        for i in range(c.shape[0]):
            low_tile(a[i : i + 1], b, c[i : i + 1], add)


def packed_cost(a, b):
    """2mkn operations; the working storage is C and a packed block of B, which the threads share out."""
    result = a.itemsize * a.shape[0] * b.shape[1]
    panels, k_block, columns = packed_shape(*b.shape, a.itemsize)
    packed = a.itemsize * panels * k_block * columns
    return Cost(2.0 * a.size * b.shape[1], a.nbytes + b.nbytes + result, result + packed)


def ceil_div(x, y):
    return -(-x // y)
