"""Convolution as a matrix product whose left factor is never written down: the image itself, read where windows lie.

Row r of the matrix of windows that im2col copies begins where window r does in the padded image, and its elements lie
at the same distances from there for every window.  The register tile of the matrix product does not mind: eight places
and one list of distances are all that it needs, across the ends of rows and of images.
Filters are packed into panels as wide as a tile.  A block of windows meets one panel after the other, in pieces that
stay in the second cache.  The last tile may be short: y has room for it beyond the end.

Source: A. Lavin, maxDNN, arXiv:1501.06633 (2015); for the tile see exp_core.vector.tiles.
"""

from __future__ import annotations

import numpy as np

from dl_exp.vision._convolution_tile import narrow_tile, two_wide_tile, wide_tile
from exp_core.aligned import aligned
from exp_core.compiled import njit, prange
from exp_core.vector.registers import registers

BLOCK = 256  # windows that meet a panel before the next one
DEPTH = 1024  # rows of a panel that do so at a time
SMALL = 64**3  # multiply-adds that are done before a second thread has started


def direct_compiled(x, w):
    """The windows are read where they lie in the image, and a tile of results stays in registers until it is done."""
    import numba

    out, k, _, channels = w.shape
    p = (k - 1) // 2
    host = registers()
    shape = (len(x), *(length + 2 * p - k + 1 for length in x.shape[1:3]), out)
    padded = np.empty((len(x), x.shape[1] + 2 * p, x.shape[2] + 2 * p, channels), x.dtype)
    taps = (np.arange(k)[:, None] * padded.shape[2] * channels + np.arange(k * channels)).ravel()
    lanes = host.lanes(x.itemsize)
    edges = panel_edges(out, lanes)
    panels = aligned((taps.size * edges[-1],), x.dtype)
    results, y = room(shape, host.rows, x.dtype)
    threads = numba.get_num_threads() if y.size * taps.size > SMALL else 1
    filters = np.ascontiguousarray(w).reshape(out, -1)
    (_alone if threads == 1 else _in_threads)(
        x, filters, padded, taps, panels, edges, results, shape[1:3], threads, host.rows, lanes
    )
    return y


def room(shape, rows, dtype):
    """An array for so many results, and its rows with some more at the end, so that every tile is whole."""
    count = int(np.prod(shape[:-1]))
    results = aligned((-(-count // rows) * rows, shape[-1]), dtype)
    return results, results[:count].reshape(shape)


def panel_edges(out, lanes):
    """Where the panels of output channels begin and end: three vectors wide, two where threes would leave one over."""
    vectors = -(-out // lanes)
    twos = {0: 0, 1: 2, 2: 1}[vectors % 3]
    widths = [3] * ((vectors - 2 * twos) // 3) + [2] * twos if vectors > 1 else [1]
    return lanes * np.cumsum([0, *widths])


@njit
def _alone(x, filters, padded, taps, panels, edges, results, places, threads, rows, lanes):
    pad(x, padded, 0, len(padded) * padded.shape[1])
    pack(filters, panels, edges, 0, edges[-1])
    _share(padded, taps, panels, edges, results, places, 0, len(results), rows, lanes)


@njit(parallel=True)
def _in_threads(x, filters, padded, taps, panels, edges, results, places, threads, rows, lanes):
    """Each thread pads, packs and multiplies a part."""
    lines, tiles = len(padded) * padded.shape[1], len(results) // rows
    for t in prange(threads):
        pad(x, padded, lines * t // threads, lines * (t + 1) // threads)
        pack(filters, panels, edges, edges[-1] * t // threads, edges[-1] * (t + 1) // threads)
    for t in prange(threads):
        first, last = rows * (tiles * t // threads), rows * (tiles * (t + 1) // threads)
        _share(padded, taps, panels, edges, results, places, first, last, rows, lanes)


@njit
def pad(x, padded, first, last):
    """Lines of the padded image, counted through all images."""
    p = (padded.shape[2] - x.shape[2]) // 2
    for line in range(first, last):
        image, i = line // padded.shape[1], line % padded.shape[1]
        padded_line(x[image], i - p, p, padded[image, i])


@njit
def padded_line(image, i, padding, line):
    """Row i of an image between zeros, or zeros alone where there is none."""
    width = image.shape[1]
    line[:padding] = 0
    line[padding + width :] = 0
    if 0 <= i < image.shape[0]:
        line[padding : padding + width] = image[i]
    else:
        line[padding : padding + width] = 0


@njit
def pack(filters, panels, edges, first, last):
    """Output channels first to last of (out, depth) -> panels (depth, width), one after the other; zeros beyond out."""
    out, depth = filters.shape
    for p in range(edges.size - 1):
        width = edges[p + 1] - edges[p]
        panel = panels[edges[p] * depth : edges[p + 1] * depth].reshape(depth, width)
        for o in range(max(first, edges[p]), min(last, edges[p + 1])):
            for q in range(depth):
                panel[q, o - edges[p]] = filters[o, q] if o < out else 0


@njit
def _share(padded, taps, panels, edges, results, places, first, last, rows, lanes):
    """Windows first to last, counted through all images; beyond the last one, the last one once more."""
    down, across = places
    _, height, width, channels = padded.shape
    count = len(padded) * down * across
    pixels = padded.reshape(padded.size)
    starts = np.empty(BLOCK, np.int64)
    i, j = first // across, first % across  # row and column of the next window; rows are counted through all images
    for block in range(first, last, BLOCK):
        size = min(BLOCK, last - block)
        for r in range(size):
            if block + r < count:
                if j == 0 or r == 0:
                    line = (i // down * height + i % down) * width
                starts[r] = (line + j) * channels
                j += 1
                if j == across:
                    i, j = i + 1, 0
            else:
                starts[r] = starts[r - 1]
        multiply(pixels, starts[:size], taps, panels, edges, results[block : block + size], rows, lanes)


@njit
def multiply(x, starts, taps, panels, edges, c, rows, lanes):
    """C = A B; A is given by x, starts and taps, B is packed."""
    depth = taps.size
    for p in range(edges.size - 1):
        left, right = edges[p], min(edges[p + 1], c.shape[1])
        b = panels[left * depth : edges[p + 1] * depth].reshape(depth, edges[p + 1] - left)
        for q in range(0, depth, DEPTH):
            for r in range(0, len(c), rows):
                _tile(x, starts[r : r + rows], taps[q : q + DEPTH], b[q:], c[r : r + rows, left:right], q > 0, lanes)


@njit(inline="always")
def _tile(x, starts, taps, b, c, add, lanes):
    """A tile: three vectors wide or two, or one after the other where C ends in the middle of one."""
    if c.shape[1] < b.shape[1] or b.shape[1] == lanes:
        for j in range(0, c.shape[1], lanes):
            narrow_tile(x, starts, taps, b[:, j:], c[:, j:], add)
    elif b.shape[1] == 3 * lanes:
        wide_tile(x, starts, taps, b, c, add)
    else:
        two_wide_tile(x, starts, taps, b, c, add)
