"""The product with packed weights on a processor: each thread has its part of the rows of weights, read once as codes.

Neighbouring codes of a word go to different vectors.  So x is put into the order in which whole vectors of words give
their codes (all lowest ones, then all second ones, ...), filled up with zeros to whole vectors; a sum does not mind the
order of its terms.

For many rows of x that is not the best: each four of them make the weights anew, no vector of x is used twice, and the
lanes of every sum are added up, which for short rows costs as much as the product.  There codes become a panel of
weights, as many as stay in the first cache, and all rows of x meet it in the tiles of a matrix product.
"""

from __future__ import annotations

import numpy as np

from dl_exp.efficiency._quantisation_codes import WORD, bits_of
from dl_exp.efficiency._quantisation_row import (
    TOGETHER,
    eight_bits,
    eight_bits_together,
    four_bits,
    four_bits_together,
    lanes,
)
from dl_exp.engine.product import K_BLOCK, tiles
from dl_exp.engine.tile import ROWS, columns
from exp_core.aligned import LINE
from exp_core.compiled import njit, prange

SMALL = 2**20  # multiply-adds that are done before a second thread has started
MANY = 64  # rows of x: with these, panels are as fast, and with 128 they were 1.2 to 1.7 times faster


def fused_compiled(x, packed, scales, biases):
    """Compile it: weights are made of codes in the vector registers, where rows of x meet them."""
    import numba

    flat = [np.ascontiguousarray(a).reshape(-1) for a in (packed, scales, biases)]
    y, bits = np.empty((len(x), len(packed)), x.dtype), bits_of(x, packed)
    threads = numba.get_num_threads() if y.size * x.shape[1] > SMALL else 1
    if len(x) >= MANY:
        room = np.empty((threads, K_BLOCK, columns(x.itemsize)), x.dtype)
        _in_panels(np.ascontiguousarray(x), *flat, scales.shape[1], bits, y, room)
    elif threads > 1:
        _in_threads(np.ascontiguousarray(x), *flat, scales.shape[1], bits, y, threads)
    else:
        _alone(np.ascontiguousarray(x), *flat, scales.shape[1], bits, y)
    return y


@njit(parallel=True)
def _in_threads(x, words, scales, biases, groups, bits, y, threads):
    """Each thread takes a part of the rows of weights."""
    ordered, out = _ordered(x, bits), y.shape[1]
    for t in prange(threads):
        _rows(ordered, words, scales, biases, groups, bits, y, out * t // threads, out * (t + 1) // threads)


@njit
def _alone(x, words, scales, biases, groups, bits, y):
    _rows(_ordered(x, bits), words, scales, biases, groups, bits, y, 0, y.shape[1])


@njit
def _ordered(x, bits):
    """(rows, k) -> (rows, vectors of words, places in a word, lanes); no vector lies in two lines of the cache."""
    rows, k = x.shape
    places = WORD // bits
    vectors = (k + lanes() * places - 1) // (lanes() * places)
    size = rows * vectors * places * lanes()
    room = np.zeros(size + LINE // x.itemsize, x.dtype)
    first = (-room.ctypes.data % LINE) // x.itemsize
    ordered = room[first : first + size].reshape(rows, vectors, places, lanes())
    for r in range(rows):
        for word in range(k // places):
            v, lane = word // lanes(), word % lanes()
            for place in range(places):
                ordered[r, v, place, lane] = x[r, word * places + place]
    return ordered


@njit
def _rows(ordered, words, scales, biases, groups, bits, y, first, last):
    """Some columns of y, from as many rows of weights."""
    rows, out = y.shape
    count = words.size // out
    stride = ordered.size // rows
    shift = 0
    while groups << shift < count:  # 2^shift words have one scale
        shift += 1
    flat_x, flat_y = ordered.reshape(-1), y.reshape(-1)
    r = 0
    while r < rows:  # those of x that are at work stay in the cache, and weights come by
        together = TOGETHER if r + TOGETHER <= rows else 1
        x = flat_x[r * stride :]
        for o in range(first, last):
            w, g, at = o * count, o * groups, r * out + o
            if bits == 4 and together == 1:
                four_bits(words, w, count, scales, biases, g, shift, x, stride, flat_y, at, out)
            elif bits == 4:
                four_bits_together(words, w, count, scales, biases, g, shift, x, stride, flat_y, at, out)
            elif together == 1:
                eight_bits(words, w, count, scales, biases, g, shift, x, stride, flat_y, at, out)
            else:
                eight_bits_together(words, w, count, scales, biases, g, shift, x, stride, flat_y, at, out)
        r += together


@njit(parallel=True)
def _in_panels(x, words, scales, biases, groups, bits, y, room):
    """Each thread takes a part of the longer of the two: rows of x, or rows of weights."""
    (rows, out), (threads, _, width) = y.shape, room.shape
    for t in prange(threads):
        if rows > out:
            first, last = _part(rows, ROWS, t, threads)
            _panels(x[first:last], words, scales, biases, groups, bits, y[first:last], 0, out, room[t])
        else:
            first, last = _part(out, width, t, threads)
            _panels(x, words, scales, biases, groups, bits, y, first, last, room[t])


@njit
def _part(n, step, t, threads):
    """Where the part of a thread begins and ends, in whole steps but for the last."""
    steps = (n + step - 1) // step
    return min(n, steps * t // threads * step), min(n, steps * (t + 1) // threads * step)


@njit
def _panels(x, words, scales, biases, groups, bits, y, first, last, panel):
    """Some columns of y: panel after panel of their weights, met by all rows of x."""
    k, width, out = x.shape[1], panel.shape[1], y.shape[1]
    count, places = words.size // out, WORD // bits
    shift = 0
    while groups << shift < count:
        shift += 1
    own = np.empty(width, np.uint32)
    scale, bias = np.zeros(width, x.dtype), np.zeros(width, x.dtype)
    for j in range(first, last, width):
        n = min(width, last - j)
        for p in range(0, k, K_BLOCK):
            size = min(K_BLOCK, k - p)
            for w in range(p // places, (p + size) // places):
                for i in range(n):
                    own[i] = words[(j + i) * count + w]
                    at = (j + i) * groups + (w >> shift)
                    scale[i], bias[i] = scales[at], biases[at]
                _weights(own, scale, bias, bits, panel[w * places - p :])
            tiles(x[:, p : p + size], panel, y[:, j : j + n], p > 0)


@njit
def _weights(words, scale, bias, bits, panel):
    """The weights of a word a column: as many rows of the panel as a word has places."""
    mask = np.uint32((1 << bits) - 1)
    for place in range(WORD // bits):
        row, shift = panel[place], np.uint32(place * bits)
        for i in range(row.size):
            row[i] = scale[i] * np.float32(words[i] >> shift & mask) + bias[i]
