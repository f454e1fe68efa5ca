"""Winograd's F(2×2, 3×3) with everything in between in the cache: a row of tiles at a time.

Each thread transforms the tiles of two rows of pixels, multiplies them by the sixteen transformed filters with the
register tile of the matrix product, and transforms the results back, before it goes on to the next two rows.
"""

from __future__ import annotations

import numpy as np

from dl_exp.vision._convolution_compiled import SMALL, multiply, pack, padded_line, panel_edges
from exp_core.compiled import FUSE, njit, prange
from exp_core.vector.registers import registers


def winograd_compiled(x, w):
    """F(2×2, 3×3) row of tiles by row of tiles: what lies between the transforms never leaves the cache."""
    import numba

    n, height, width, _ = x.shape
    y = np.empty((n, height, width, w.shape[0]), x.dtype)
    host = registers()
    lanes = host.lanes(x.itemsize)
    edges = panel_edges(w.shape[0], lanes)
    panels = _filters(np.ascontiguousarray(w), edges)
    if y.size * w[0].size > SMALL:
        _in_threads(x, panels, edges, y, numba.get_num_threads(), host.rows, lanes)
    else:
        _rows(x, panels, edges, y, 0, n * ((height + 1) // 2), host.rows, lanes)
    return y


@njit(fastmath=FUSE)
def _filters(w, edges):
    """$G g G^T$ of every filter, packed for each of the sixteen places: (16, C * columns)."""
    out, _, _, channels = w.shape
    U = np.empty((16, out, channels), w.dtype)
    half = w.dtype.type(0.5)
    for o in range(out):
        g = w[o]
        u = np.empty((4, 3, channels), w.dtype)
        for j in range(3):
            for c in range(channels):
                g0, g1, g2 = g[0, j, c], g[1, j, c], g[2, j, c]
                u[0, j, c] = g0
                u[1, j, c] = half * (g0 + g2 + g1)
                u[2, j, c] = half * (g0 + g2 - g1)
                u[3, j, c] = g2
        for i in range(4):
            for c in range(channels):
                g0, g1, g2 = u[i, 0, c], u[i, 1, c], u[i, 2, c]
                U[4 * i, o, c] = g0
                U[4 * i + 1, o, c] = half * (g0 + g2 + g1)
                U[4 * i + 2, o, c] = half * (g0 + g2 - g1)
                U[4 * i + 3, o, c] = g2
    panels = np.empty((16, channels * edges[-1]), w.dtype)
    for place in range(16):
        panels[place] = pack(U[place], edges)
    return panels


@njit(parallel=True)
def _in_threads(x, panels, edges, y, threads, tile, lanes):
    """Each thread takes a part of all rows of tiles."""
    rows = y.shape[0] * ((y.shape[1] + 1) // 2)
    for t in prange(threads):
        _rows(x, panels, edges, y, rows * t // threads, rows * (t + 1) // threads, tile, lanes)


@njit
def _rows(x, panels, edges, y, first, last, tile, lanes):
    """Rows of tiles, counted through all images."""
    down, across = (y.shape[1] + 1) // 2, (y.shape[2] + 1) // 2
    channels, out = x.shape[3], y.shape[3]
    lines = np.zeros((4, 2 * across + 2, channels), x.dtype)
    V = np.empty((16, across, channels), x.dtype)
    M = np.empty((16, across, out), x.dtype)
    for row in range(first, last):
        image, top = row // down, 2 * (row % down)
        for i in range(4):
            padded_line(x[image], top + i - 1, 1, lines[i])
        _down(lines)
        _across(lines, V)
        for place in range(16):
            multiply(V[place], panels[place], edges, 0, channels, M[place], False, tile, lanes)
        for i in range(min(2, y.shape[1] - top)):
            _back(M, i, y[image, top + i])


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
def _across(lines, V):
    """$(B^T d) B$: of four neighbours in each row; tiles are two pixels apart."""
    for i in range(4):
        for b in range(V.shape[1]):
            for c in range(V.shape[2]):
                d0, d1 = lines[i, 2 * b, c], lines[i, 2 * b + 1, c]
                d2, d3 = lines[i, 2 * b + 2, c], lines[i, 2 * b + 3, c]
                V[4 * i, b, c] = d0 - d2
                V[4 * i + 1, b, c] = d1 + d2
                V[4 * i + 2, b, c] = d2 - d1
                V[4 * i + 3, b, c] = d3 - d1


@njit(fastmath=FUSE)
def _back(M, i, y):
    """Row i of $A^T M A$ of every tile: M (16, tiles, O), y (pixels, O); the last tile may end after one."""
    one = y.dtype.type(1)
    sign = one - 2 * one * i
    end = 12 * i
    for b in range(M.shape[1]):
        for j in range(min(2, y.shape[0] - 2 * b)):
            side, turn = 3 * j, one - 2 * one * j
            for o in range(M.shape[2]):
                m0 = M[end + side, b, o] + (M[4 + side, b, o] + sign * M[8 + side, b, o])
                m1 = M[end + 1, b, o] + (M[5, b, o] + sign * M[9, b, o])
                m2 = M[end + 2, b, o] + (M[6, b, o] + sign * M[10, b, o])
                y[2 * b + j, o] = m0 + (m1 + turn * m2)
