"""Convolution as a matrix product whose left factor is never written down: the image itself, read with overlap.

The windows of neighbouring pixels in a row overlap: window b begins one pixel, C numbers, after window b - 1, and row i
of it is $k C$ numbers in a row of the (padded) image.  So the matrix of windows that im2col copies is already there: a
matrix with $k C$ columns whose rows lie C apart.  The register tile of the matrix product does not mind.
Where C is so small that a tile would be filled and emptied more than it computes, the windows of one row of pixels are
copied after all.

Source: A. Lavin, maxDNN, arXiv:1501.06633 (2015); for the tile see exp_core.vector.tiles.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit, prange
from exp_core.vector.registers import registers
from exp_core.vector.tiles import full_tile, low_tile, narrow_tile, overlapping, two_wide_tile

SHALLOW = 48  # numbers in a row of a window, below which the windows are copied
SMALL = 64**3  # multiply-adds that are done before a second thread has started


def direct_compiled(x, w):
    """The windows are read where they lie in the image, and a tile of results stays in registers."""
    import numba

    out, k, _, channels = w.shape
    y = np.empty((x.shape[0], *places(x, k), out), x.dtype)
    host = registers()
    lanes = host.lanes(x.itemsize)
    edges = panel_edges(out, lanes)
    panels = pack(np.ascontiguousarray(w).reshape(out, k * k * channels), edges)
    if y.size * k * k * channels > SMALL:
        _in_threads(x, panels, edges, y, k, numba.get_num_threads(), host.rows, lanes)
    else:
        _rows(x, panels, edges, y, k, 0, y.shape[0] * y.shape[1], host.rows, lanes)
    return y


def places(x, k):
    """Rows and columns of results: as many as pixels if k is odd, one less if it is even."""
    padding = (k - 1) // 2
    return x.shape[1] + 2 * padding - k + 1, x.shape[2] + 2 * padding - k + 1


def panel_edges(out, lanes):
    """Where the panels of output channels begin and end: three vectors wide, two where threes would leave one over."""
    vectors = -(-out // lanes)
    twos = {0: 0, 1: 2, 2: 1}[vectors % 3]
    widths = [3] * ((vectors - 2 * twos) // 3) + [2] * twos if vectors > 1 else [1]
    return lanes * np.cumsum([0, *widths])


@njit
def pack(filters, edges):
    """(out, depth) -> panel by panel (depth, width), one after the other; zeros beyond the last channel."""
    out, depth = filters.shape
    panels = np.zeros(depth * edges[-1], filters.dtype)
    for p in range(edges.size - 1):
        width = edges[p + 1] - edges[p]
        for o in range(edges[p], min(edges[p + 1], out)):
            start = edges[p] * depth + o - edges[p]
            for q in range(depth):
                panels[start + q * width] = filters[o, q]
    return panels


@njit(parallel=True)
def _in_threads(x, panels, edges, y, k, threads, tile, lanes):
    """Each thread takes a part of all rows of pixels."""
    rows = y.shape[0] * y.shape[1]
    for t in prange(threads):
        _rows(x, panels, edges, y, k, rows * t // threads, rows * (t + 1) // threads, tile, lanes)


@njit
def _rows(x, panels, edges, y, k, first, last, tile, lanes):
    """Rows of results, counted through all images; k rows of pixels with their padding wait in a ring."""
    height, width = y.shape[1], y.shape[2]
    channels = x.shape[3]
    reach, depth, padding = k * channels, k * k * channels, (k - 1) // 2
    ring = np.zeros((k, x.shape[2] + 2 * padding, channels), x.dtype)
    copies = np.empty((width, depth if reach < SHALLOW else 0), x.dtype)
    for row in range(first, last):
        image, top = row // height, row % height
        for i in range(0 if row == first or top == 0 else k - 1, k):
            padded_line(x[image], top + i - padding, padding, ring[(top + i) % k])
        for i in range(k):
            windows = overlapping(ring[(top + i) % k], width, reach, channels)
            if reach < SHALLOW:
                copies[:, i * reach : (i + 1) * reach] = windows
            else:
                multiply(windows, panels, edges, i * reach, depth, y[image, top], i > 0, tile, lanes)
        if reach < SHALLOW:
            multiply(copies, panels, edges, 0, depth, y[image, top], False, tile, lanes)


@njit
def padded_line(image, i, padding, line):
    """Row i of an image, or zeros where there is none, between the padding's zeros, which are there already."""
    if 0 <= i < image.shape[0]:
        line[padding : padding + image.shape[1]] = image[i]
    else:
        line[:] = 0


@njit
def multiply(a, panels, edges, first, depth, c, add, tile, lanes):
    """C = A B or C += A B, with the rows of B from the first on; B is packed and has so many rows in all."""
    rows, k = a.shape
    whole = rows - rows % tile
    for p in range(edges.size - 1):
        left, width = edges[p], edges[p + 1] - edges[p]
        start = left * depth + first * width
        b = panels[start : start + k * width].reshape(k, width)
        for i in range(0, whole, tile):
            _full(a[i : i + tile], b, c[i : i + tile, left : left + width], add, lanes)
        for i in range(whole, rows):
            for j in range(0, width, 3 * lanes):
                low_tile(a[i : i + 1], b[:, j:], c[i : i + 1, left + j : left + width], add)


@njit
def _full(a, b, c, add, lanes):
    """A tile of full height: three vectors or two, or one after the other where C ends in the middle of one."""
    if c.shape[1] == 3 * lanes:
        full_tile(a, b, c, add)
    elif c.shape[1] == 2 * lanes:
        two_wide_tile(a, b, c, add)
    else:
        for j in range(0, c.shape[1], lanes):
            narrow_tile(a, b[:, j:], c[:, j:], add)
