"""A row of weights is unpacked into the cache and multiplied there: the large array is only ever read in its codes.

Neighbouring codes of a word go to different vectors.  So x is put into the order in which whole vectors of words give
their codes (all lowest ones of a group, then all second ones, ...): each code costs a shift, a mask and a conversion,
a vector at a time, and a sum does not mind the order of its terms.
"""

from __future__ import annotations

import numpy as np

from dl_exp.efficiency._quantisation_codes import WORD, bits_of
from exp_core.compiled import REORDER, njit, prange

SMALL = 64**3  # multiply-adds that are done before a second thread has started


def fused_compiled(x, packed, scales, biases):
    """One row of weights at a time, unpacked into the cache by vectors of words."""
    import numba

    bits, groups = bits_of(x, packed), scales.shape[1]
    per_word = WORD // bits
    ordered = x.reshape(len(x), groups, -1, per_word).swapaxes(2, 3).reshape(x.shape)  # by place in the word
    y = np.empty((len(x), len(packed)), x.dtype)
    words = packed.reshape(len(packed), groups, -1)
    if y.size * x.shape[1] > SMALL:
        _in_threads(ordered, words, scales, biases, bits, y, numba.get_num_threads())
    else:
        _rows(ordered, words, scales, biases, bits, y, 0, len(packed))
    return y


@njit(parallel=True)
def _in_threads(x, words, scales, biases, bits, y, threads):
    """Each thread takes a part of the rows of weights."""
    out = y.shape[1]
    for t in prange(threads):
        _rows(x, words, scales, biases, bits, y, out * t // threads, out * (t + 1) // threads)


@njit
def _rows(x, words, scales, biases, bits, y, first, last):
    row = np.empty(x.shape[1], x.dtype)
    for o in range(first, last):
        if bits == 4:
            _unpack4(words[o], scales[o], biases[o], row)
        else:
            _unpack8(words[o], scales[o], biases[o], row)
        for r in range(x.shape[0]):
            y[r, o] = _dot(x[r], row)


@njit(fastmath=REORDER)
def _unpack4(words, scales, biases, row):
    """words (groups, g / 8) -> row (k), by group, then by place in the word."""
    groups, count = words.shape
    for g in range(groups):
        for place in range(8):
            _codes(words[g], np.uint32(4 * place), np.uint32(15), scales[g], biases[g], row[(8 * g + place) * count :])


@njit(fastmath=REORDER)
def _unpack8(words, scales, biases, row):
    """words (groups, g / 4) -> row (k)."""
    groups, count = words.shape
    for g in range(groups):
        for place in range(4):
            _codes(words[g], np.uint32(8 * place), np.uint32(255), scales[g], biases[g], row[(4 * g + place) * count :])


@njit(fastmath=REORDER)
def _codes(words, shift, mask, scale, bias, row):
    """The codes at one place of every word of a group, as weights."""
    for j in range(words.size):
        row[j] = scale * np.float32(np.int32((words[j] >> shift) & mask)) + bias


@njit(fastmath=REORDER)
def _dot(x, y):
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i] * y[i]
    return total
