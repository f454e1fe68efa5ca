"""Winograd's F(2×2, 3×3) with everything in between in the cache: some rows of tiles at a time.

Each thread transforms the tiles of some rows of pixels, multiplies them by the sixteen transformed filters with the
register tile of the matrix product, and transforms the results back, before it goes on.  So many rows that a filter,
once it is there, meets about BATCH tiles: fewer would wait for filters, more would not stay in the cache.
"""

from __future__ import annotations

import numpy as np

from dl_exp.vision._convolution_compiled import SMALL, multiply, padded_line, panel_edges
from exp_core.aligned import aligned
from exp_core.compiled import FUSE, njit, prange
from exp_core.vector.registers import registers

BATCH = 64


def winograd_compiled(x, w):
    """F(2×2, 3×3) some rows of tiles at a time: what lies between the transforms never leaves the cache."""
    import numba

    n, height, width, channels = x.shape
    y = np.empty((n, height, width, w.shape[0]), x.dtype)
    host = registers()
    lanes = host.lanes(x.itemsize)
    edges = panel_edges(w.shape[0], lanes)
    threads = numba.get_num_threads() if y.size * w[0].size > SMALL else 1
    across = (width + 1) // 2
    most = -(-max(1, BATCH // across) * across // host.rows) * host.rows
    panels = aligned((16, channels * edges[-1]), x.dtype)
    V = aligned((threads, 16, most, channels), x.dtype, np.zeros)
    M = aligned((threads, 16, most, len(w)), x.dtype)
    share = _alone if threads == 1 else _in_threads
    share(x, np.ascontiguousarray(w), panels, edges, V, M, y, host.rows, lanes)
    return y


@njit
def _alone(x, w, panels, edges, V, M, y, rows, lanes):
    _filters(w, panels, edges, 0, len(w))
    _share(x, panels, edges, V[0], M[0], y, 0, len(y) * ((y.shape[1] + 1) // 2), rows, lanes)


@njit(parallel=True)
def _in_threads(x, w, panels, edges, V, M, y, rows, lanes):
    """Each thread takes a part of the filters, and then of all rows of tiles."""
    out, lines, threads = len(w), len(y) * ((y.shape[1] + 1) // 2), len(V)
    for t in prange(threads):
        _filters(w, panels, edges, out * t // threads, out * (t + 1) // threads)
    for t in prange(threads):
        _share(x, panels, edges, V[t], M[t], y, lines * t // threads, lines * (t + 1) // threads, rows, lanes)


@njit
def _filters(w, panels, edges, first, last):
    """$G g G^T$ of filters first to last, packed for each of the sixteen places: (16, C * columns)."""
    channels = w.shape[3]
    u = np.empty((4, 3, channels), w.dtype)
    U = np.empty((16, channels), w.dtype)
    for o in range(first, last):
        panel = 0
        while edges[panel + 1] <= o:
            panel += 1
        width, start = edges[panel + 1] - edges[panel], edges[panel] * channels + o - edges[panel]
        _filter(w[o], u, U)
        for place in range(16):
            packed = panels[place, start:]
            for c in range(channels):
                packed[c * width] = U[place, c]


@njit(fastmath=FUSE)
def _filter(g, u, U):
    """$u = G g$ and $U = u G^T$ of one filter, g (3, 3, C)."""
    half = g.dtype.type(0.5)
    for j in range(3):
        for c in range(g.shape[2]):
            g0, g1, g2 = g[0, j, c], g[1, j, c], g[2, j, c]
            u[0, j, c] = g0
            u[1, j, c] = half * (g0 + g2 + g1)
            u[2, j, c] = half * (g0 + g2 - g1)
            u[3, j, c] = g2
    for i in range(4):
        for c in range(g.shape[2]):
            g0, g1, g2 = u[i, 0, c], u[i, 1, c], u[i, 2, c]
            U[4 * i, c] = g0
            U[4 * i + 1, c] = half * (g0 + g2 + g1)
            U[4 * i + 2, c] = half * (g0 + g2 - g1)
            U[4 * i + 3, c] = g2


@njit
def _share(x, panels, edges, V, M, y, first, last, rows, lanes):
    """Rows of tiles, counted through all images; the tiles of a batch are made up to whole tiles of the product."""
    down, across = (y.shape[1] + 1) // 2, (y.shape[2] + 1) // 2
    channels, most = x.shape[3], V.shape[1]
    batch = max(1, BATCH // across)
    lines = np.zeros((4, 2 * across + 2, channels), x.dtype)
    starts, taps = np.arange(most) * channels, np.arange(channels)
    for row in range(first, last, batch):
        lot = min(batch, last - row)
        for r in range(lot):
            image, top = (row + r) // down, 2 * ((row + r) % down)
            for i in range(4):
                padded_line(x[image], top + i - 1, 1, lines[i])
            _down(lines)
            _across(lines, V, r * across)
        tiles = -(-lot * across // rows) * rows
        for place in range(16):
            multiply(
                V[place].reshape(most * channels), starts, taps, panels[place], edges, M[place, :tiles], rows, lanes
            )
        for r in range(lot):
            image, top = (row + r) // down, 2 * ((row + r) % down)
            for i in range(min(2, y.shape[1] - top)):
                _back(M, r * across, i, y[image, top + i])


@njit(fastmath=FUSE)
def _down(lines):
    """$B^T d$: of four rows of pixels, in their place."""
    for b in range(lines.shape[1]):
        for c in range(lines.shape[2]):
            d0, d1, d2, d3 = lines[0, b, c], lines[1, b, c], lines[2, b, c], lines[3, b, c]
            lines[0, b, c] = d0 - d2
            lines[1, b, c] = d1 + d2
            lines[2, b, c] = d2 - d1
            lines[3, b, c] = d3 - d1


@njit(fastmath=FUSE)
def _across(lines, V, first):
    """$(B^T d) B$: of four neighbours in each row, for a row of tiles from the first on; they lie two pixels apart."""
    for i in range(4):
        for b in range((lines.shape[1] - 2) // 2):
            for c in range(V.shape[2]):
                d0, d1 = lines[i, 2 * b, c], lines[i, 2 * b + 1, c]
                d2, d3 = lines[i, 2 * b + 2, c], lines[i, 2 * b + 3, c]
                V[4 * i, first + b, c] = d0 - d2
                V[4 * i + 1, first + b, c] = d1 + d2
                V[4 * i + 2, first + b, c] = d2 - d1
                V[4 * i + 3, first + b, c] = d3 - d1


@njit(fastmath=FUSE)
def _back(M, first, i, y):
    """Row i of $A^T M A$ of a row of tiles: M (16, tiles, O), y (pixels, O); the last tile may end after one."""
    one = y.dtype.type(1)
    sign = one - 2 * one * i
    end = 12 * i
    for b in range((len(y) + 1) // 2):
        m = first + b
        for j in range(min(2, len(y) - 2 * b)):
            side, turn = 3 * j, one - 2 * one * j
            for o in range(M.shape[2]):
                m0 = M[end + side, m, o] + (M[4 + side, m, o] + sign * M[8 + side, m, o])
                m1 = M[end + 1, m, o] + (M[5, m, o] + sign * M[9, m, o])
                m2 = M[end + 2, m, o] + (M[6, m, o] + sign * M[10, m, o])
                y[2 * b + j, o] = m0 + (m1 + turn * m2)
