"""Convolutions and means of one image whose channels are in front."""

from __future__ import annotations

import numpy as np

from dl_exp.engine.product import product
from dl_exp.vision._cnn_engine_dense import tanh_all
from exp_core.compiled import REORDER, njit


@njit
def unfold(x, columns):
    """x (C, H, H) to (25 C, places^2): a row is one place in the window, over the whole image."""
    channels, side = x.shape[:2]
    places = side - 4
    for i in range(5):
        for j in range(5):
            for c in range(channels):
                row = columns[(i * 5 + j) * channels + c]
                for a in range(places):
                    row[a * places : (a + 1) * places] = x[c, a + i, j : j + places]


@njit(fastmath=REORDER)
def fold(columns, x):
    """Its transpose: every number is added to the pixel that it was read from."""
    channels, side = x.shape[:2]
    places = side - 4
    x[:] = np.float32(0)
    for i in range(5):
        for j in range(5):
            for c in range(channels):
                row = columns[(i * 5 + j) * channels + c]
                for a in range(places):
                    target, source = x[c, a + i, j : j + places], row[a * places : (a + 1) * places]
                    for b in range(places):
                        target[b] += source[b]


@njit
def convolve(x, W, b, columns, a, panel):
    """a = tanh of the convolution, (channels out, places^2)."""
    unfold(x, columns)
    for o in range(b.size):
        a[o] = b[o]
    product(W.T, columns, a, True, panel)
    tanh_all(a)


@njit(fastmath=REORDER)
def convolve_back(x, W, d, columns, gW, gb, unfolded, dx, wanted, panel):
    """The derivatives by weights and biases are added up; that by x, if wanted, is written."""
    unfold(x, columns)
    product(columns, d.T, gW, True, panel)
    for o in range(gb.size):
        for v in d[o]:
            gb[o] += v
    if wanted:
        product(W, d, unfolded, False, panel)
        fold(unfolded, dx)


@njit(fastmath=REORDER)
def means(a, side, small):
    """Means of 2 by 2: (C, side^2) to (C, side^2 / 4)."""
    half = side // 2
    for c in range(a.shape[0]):
        for i in range(half):
            upper, lower = a[c, 2 * i * side : (2 * i + 1) * side], a[c, (2 * i + 1) * side : (2 * i + 2) * side]
            for j in range(half):
                total = upper[2 * j] + upper[2 * j + 1] + lower[2 * j] + lower[2 * j + 1]
                small[c, i * half + j] = np.float32(0.25) * total


@njit(fastmath=REORDER)
def mean_back(below, side, a, d):
    """From the derivative by the means to that by what went into tanh, whose values are a."""
    half = side // 2
    for c in range(a.shape[0]):
        for i in range(side):
            for j in range(side):
                at = i * side + j
                d[c, at] = np.float32(0.25) * below[c, i // 2 * half + j // 2] * (np.float32(1) - a[c, at] * a[c, at])
