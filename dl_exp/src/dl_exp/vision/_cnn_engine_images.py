"""Convolutions and means of a few images at once, one in each lane of a vector: (channel, row, column, image)."""

from __future__ import annotations

import numpy as np

from dl_exp.engine.apart import apart
from dl_exp.engine.tile import lanes
from dl_exp.engine.window import correlate, correlate_back, widest
from exp_core.compiled import REORDER, njit
from exp_core.vector import tanh

KERNEL = 5


def distances(channels, side, pixels):
    """From a window's first pixel to all, in the weights' order (row, column, channel); int64, (25 channels,)."""
    i, j, c = np.ogrid[:KERNEL, :KERNEL, :channels]
    return (((c * side + i) * side + j) * pixels).astype(np.int64).ravel()


def distances_back(channels, places, width, pixels):
    """From a pixel back to all places whose windows held it, (row, column, channel out); int64, (25 channels,)."""
    i, j, o = np.ogrid[:KERNEL, :KERNEL, :channels]
    return (((o * places - i) * width - j) * pixels).astype(np.int64).ravel()


def grid(places, width, pixels):
    """From the first of ``places`` by ``places`` pixels to each, in an image of that width; int64, (places^2,)."""
    a, b = np.ogrid[:places, :places]
    return ((a * width + b) * pixels).astype(np.int64).ravel()


@njit
def convolve(x, W, b, window, a):
    """a = tanh of the convolution of x, (channels, H, H, image); a: (channels out, H - 4, H - 4, image)."""
    apart()
    side, places, pixels = x.shape[1], a.shape[1], lanes(W)
    flat, out = x.reshape(-1), a.reshape(a.shape[0], -1)
    for row in range(places):
        column = 0
        while column < places:
            width = widest(flat) if column + widest(flat) <= places else widest(flat) // 2
            at = (row * side + column) * pixels
            correlate(W, flat, at, window, np.intp(0), window.size, out, (row * places + column) * pixels, width)
            column += width
    for o in range(b.size):
        line = out[o]
        for p in range(line.size):
            line[p] = tanh(line[p] + b[o])


@njit(fastmath=REORDER)
def by_weights(x, d, d_grid, x_grid, gW, gb):
    """The derivatives by weights and biases are added up; d: (channels out, rows, columns, image), its frame 0."""
    apart()
    channels, side = x.shape[:2]
    flat, slopes = x.reshape(-1), d.reshape(d.shape[0], -1)
    for c in range(channels):
        for i in range(KERNEL):
            at = (c * side + i) * side * lanes(gW)
            correlate_back(slopes, d_grid, flat, at, x_grid, gW, i * KERNEL * channels + c, channels)
    for o in range(gb.size):
        line, total = slopes[o], gb.dtype.type(0)
        for p in range(line.size):
            total += line[p]
        gb[o] += total


@njit
def by_image(d, W, backwards, dx):
    """The derivative by the image that was convolved.

    d: (channels out, places, places + 8, image), framed left and right by 4 zeros; W: (25 channels out, channels);
    dx: (channels, places + 4, places + 4, image).
    """
    apart()
    channels_out, places, framed = d.shape[:3]
    side, pixels, row_of_window = dx.shape[1], lanes(W), KERNEL * channels_out
    flat, out = d.reshape(-1), dx.reshape(dx.shape[0], -1)
    for row in range(side):
        # Row i of the window met this row of the image only where row - i is a place.
        first, last = max(0, row - places + 1), min(KERNEL, row + 1)
        column = 0
        while column < side:
            width = widest(flat) if column + widest(flat) <= side else widest(flat) // 2
            at = (row * framed + column + KERNEL - 1) * pixels
            first_k, last_k = first * row_of_window, last * row_of_window
            correlate(W, flat, at, backwards, first_k, last_k, out, (row * side + column) * pixels, width)
            column += width


@njit(fastmath=REORDER)
def means(a, small):
    """Means of 2 by 2: (C, side, side, image) to (C, side / 2, side / 2, image)."""
    apart()
    channels, half = small.shape[:2]
    for c in range(channels):
        for i in range(half):
            for j in range(half):
                for k in range(lanes(small)):
                    upper = a[c, 2 * i, 2 * j, k] + a[c, 2 * i, 2 * j + 1, k]
                    lower = a[c, 2 * i + 1, 2 * j, k] + a[c, 2 * i + 1, 2 * j + 1, k]
                    small[c, i, j, k] = np.float32(0.25) * (upper + lower)


@njit(fastmath=REORDER)
def mean_back(below, a, d):
    """From the derivative by the means to that by what went into tanh, whose values are a; d may have a frame."""
    apart()
    channels, side = a.shape[:2]
    margin = (d.shape[2] - side) // 2
    for c in range(channels):
        for i in range(side):
            for j in range(side):
                for k in range(lanes(a)):
                    slope = np.float32(1) - a[c, i, j, k] * a[c, i, j, k]
                    d[c, i, j + margin, k] = np.float32(0.25) * below[c, i // 2, j // 2, k] * slope
