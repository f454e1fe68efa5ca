"""Convolutions of a few images at once, one in each lane of a vector, in LLVM's own instructions.

An image's neighbouring pixels are no natural vector (a row of 10 fills none of 16 lanes), but the same pixel of 16
images is: memory is (channel, row, column, image).  A window then is a list of distances from its first pixel, the same
list everywhere: nothing is unfolded or left over at an edge.  Sums live in registers while the list is read.
Source: A. Lavin, maxDNN: An Efficient Convolution Kernel for Deep Learning, arXiv:1501.06633 (2015), section 3: this
order of memory and the list of distances.
"""

from __future__ import annotations

from dl_exp.engine.sums import backwards, forwards
from exp_core.compiled import intrinsic, njit
from exp_core.vector.registers import registers


def across() -> int:
    """Pixels side by side whose sums are kept at once; together with 4 channels they fit into the registers."""
    return 4 if registers().count >= 32 else 2


def channels_at_once() -> int:
    """Channels that, with all columns of a window, fit into the registers."""
    return 4 if registers().count >= 32 else 2


@njit
def correlate(W, x, at, distances, first, last, y, column, width):
    """y[o, column ...] = sum over k in [first, last) of W[k, o] x[at + distances[k] ...], for every o.

    W: (window, channels out); x: flat; y: (channels out, n); the run has ``width`` pixels: ``across()`` or half of it.
    Nobody checks that the distances stay inside x.
    """
    o, channels = 0, W.shape[1]
    while o + 4 <= channels:
        if width == widest(x):
            _four_wide(W, o, x, at, distances, first, last, y, column)
        else:
            _four(W, o, x, at, distances, first, last, y, column)
        o += 4
    while o + 2 <= channels:
        if width == widest(x):
            _two_wide(W, o, x, at, distances, first, last, y, column)
        else:
            _two(W, o, x, at, distances, first, last, y, column)
        o += 2
    if o < channels:
        if width == widest(x):
            _one_wide(W, o, x, at, distances, first, last, y, column)
        else:
            _one(W, o, x, at, distances, first, last, y, column)


@njit
def correlate_back(d, d_distances, x, at, x_distances, gW, row, step):
    """gW[row + j step, o] += sum over places p and lanes of d[o, d_distances[p] ...] x[at + x_distances[p] + j ...].

    j is the column in the window, 0 to 4; d: (channels out, n); x: flat; gW: (window, channels out).
    """
    o, channels, most = 0, gW.shape[1], together(x)
    while o + most <= channels:
        _many_back(d, o, d_distances, x, at, x_distances, gW, row, step)
        o += most
    while o + 2 <= channels:
        _two_back(d, o, d_distances, x, at, x_distances, gW, row, step)
        o += 2
    if o < channels:
        _one_back(d, o, d_distances, x, at, x_distances, gW, row, step)
        o += 1


@intrinsic
def widest(typing, x):
    """across(), as a constant of compiled code."""
    return _constant(across(), x)


@intrinsic
def together(typing, x):
    """channels_at_once(), as a constant of compiled code."""
    return _constant(channels_at_once(), x)


@intrinsic
def _four_wide(typing, W, o, x, at, distances, first, last, y, column):
    return forwards(4, across(), W, x, distances, y)


@intrinsic
def _four(typing, W, o, x, at, distances, first, last, y, column):
    return forwards(4, across() // 2, W, x, distances, y)


@intrinsic
def _two_wide(typing, W, o, x, at, distances, first, last, y, column):
    return forwards(2, across(), W, x, distances, y)


@intrinsic
def _two(typing, W, o, x, at, distances, first, last, y, column):
    return forwards(2, across() // 2, W, x, distances, y)


@intrinsic
def _one_wide(typing, W, o, x, at, distances, first, last, y, column):
    return forwards(1, across(), W, x, distances, y)


@intrinsic
def _one(typing, W, o, x, at, distances, first, last, y, column):
    return forwards(1, across() // 2, W, x, distances, y)


@intrinsic
def _many_back(typing, d, o, d_distances, x, at, x_distances, gW, row, step):
    return backwards(channels_at_once(), d, d_distances, x, x_distances, gW)


@intrinsic
def _two_back(typing, d, o, d_distances, x, at, x_distances, gW, row, step):
    return backwards(2, d, d_distances, x, x_distances, gW)


@intrinsic
def _one_back(typing, d, o, d_distances, x, at, x_distances, gW, row, step):
    return backwards(1, d, d_distances, x, x_distances, gW)


def _constant(number, x):
    from numba import types

    return types.intp(x), lambda context, builder, signature, arguments: context.get_constant(types.intp, number)
