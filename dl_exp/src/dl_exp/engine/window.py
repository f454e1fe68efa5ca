"""Convolutions of a few images at once, one in each lane of a vector, in LLVM's own instructions.

An image's neighbouring pixels are no natural vector (a row of 10 fills none of 16 lanes), but the same pixel of 16
images is: memory is (channel, row, column, image).  A window then is a list of distances from its first pixel, the same
list everywhere: nothing is unfolded or left over at an edge.  Sums live in registers while the list is read.
Source: A. Lavin, maxDNN: An Efficient Convolution Kernel for Deep Learning, arXiv:1501.06633 (2015), section 3: this
order of memory and the list of distances.
"""

from __future__ import annotations

from dl_exp.engine.lanes import Lanes, Memory, call_apart, summed
from exp_core.compiled import intrinsic, njit
from exp_core.vector.registers import registers

WINDOW = 5  # columns of the window whose weights' derivatives are summed at once


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
    return _forwards(4, across(), W, x, distances, y)


@intrinsic
def _four(typing, W, o, x, at, distances, first, last, y, column):
    return _forwards(4, across() // 2, W, x, distances, y)


@intrinsic
def _two_wide(typing, W, o, x, at, distances, first, last, y, column):
    return _forwards(2, across(), W, x, distances, y)


@intrinsic
def _two(typing, W, o, x, at, distances, first, last, y, column):
    return _forwards(2, across() // 2, W, x, distances, y)


@intrinsic
def _one_wide(typing, W, o, x, at, distances, first, last, y, column):
    return _forwards(1, across(), W, x, distances, y)


@intrinsic
def _one(typing, W, o, x, at, distances, first, last, y, column):
    return _forwards(1, across() // 2, W, x, distances, y)


@intrinsic
def _many_back(typing, d, o, d_distances, x, at, x_distances, gW, row, step):
    return _backwards(channels_at_once(), d, d_distances, x, x_distances, gW)


@intrinsic
def _two_back(typing, d, o, d_distances, x, at, x_distances, gW, row, step):
    return _backwards(2, d, d_distances, x, x_distances, gW)


@intrinsic
def _one_back(typing, d, o, d_distances, x, at, x_distances, gW, row, step):
    return _backwards(1, d, d_distances, x, x_distances, gW)


def _constant(number, x):
    from numba import types

    return types.intp(x), lambda context, builder, signature, arguments: context.get_constant(types.intp, number)


def _forwards(rows, vectors, W, x, distances, y):
    """(W, o, x, at, distances, first, last, y, column) -> None: ``rows`` channels, ``vectors`` pixels."""
    from numba import types

    def emit(context, builder, signature, arguments):
        _, o, _, at, _, first, last, _, column = arguments
        W, x, distances, y = (Memory(context, builder, signature, arguments, i) for i in (0, 2, 4, 7))
        count = builder.sub(last, first)
        given = [W.at(first, o), W.step, x.at(at), distances.at(first), count, y.at(o, column), y.step]

        def body(inner, w, w_step, x, distances, count, y, y_step):
            lanes = Lanes(inner, W.element)

            def multiply_add(p, sums):
                here = lanes.shifted(x, inner.load(lanes.shifted(distances, p)))
                pixels = [lanes.load(here, v * lanes.count) for v in range(vectors)]
                weights = lanes.shifted(w, inner.mul(p, w_step))
                each = [lanes.spread(inner.load(lanes.shifted(weights, p.type(r)))) for r in range(rows)]
                return [lanes.multiply_add(each[r], pixels[v], sums[r * vectors + v])
                        for r in range(rows) for v in range(vectors)]  # fmt: skip

            sums = summed(inner, count, rows * vectors, lanes.zero, multiply_add)
            for r in range(rows):
                row = lanes.shifted(y, inner.mul(y_step, y_step.type(r)))
                for v in range(vectors):
                    lanes.store(sums[r * vectors + v], row, v * lanes.count)

        call_apart(builder, f"window_{rows}_{vectors}_{signature.args[2].dtype}", given, body)
        return context.get_dummy_value()

    integer = types.intp
    return types.void(W, integer, x, integer, distances, integer, integer, y, integer), emit


def _backwards(rows, d, d_distances, x, x_distances, gW):
    """(d, o, d_distances, x, at, x_distances, gW, row, step) -> None: ``rows`` channels, every column of a window."""
    from llvmlite import ir
    from numba import types

    def emit(context, builder, signature, arguments):
        _, o, _, _, at, _, _, row, step = arguments
        d, d_distances, x, x_distances, gW = (
            Memory(context, builder, signature, arguments, i) for i in (0, 2, 3, 5, 6)
        )
        zero = row.type(0)
        given = [d.at(o, zero), d.step, d_distances.at(zero), x.at(at), x_distances.at(zero), d_distances.size,
                 gW.at(row, o), builder.mul(step, gW.step)]  # fmt: skip

        def body(inner, d, d_step, d_distances, x, x_distances, count, g, g_step):
            lanes = Lanes(inner, gW.element)

            def multiply_add(p, sums):
                here = lanes.shifted(x, inner.load(lanes.shifted(x_distances, p)))
                pixels = [lanes.load(here, j * lanes.count) for j in range(WINDOW)]
                there = lanes.shifted(d, inner.load(lanes.shifted(d_distances, p)))
                new = []
                for r in range(rows):
                    slope = lanes.load(lanes.shifted(there, inner.mul(d_step, d_step.type(r))), 0)
                    new += [lanes.multiply_add(slope, pixels[j], sums[r * WINDOW + j]) for j in range(WINDOW)]
                return new

            sums = summed(inner, count, rows * WINDOW, lanes.zero, multiply_add)
            for j in range(WINDOW):
                place = lanes.shifted(g, inner.mul(g_step, g_step.type(j)))
                for r in range(rows):
                    address = lanes.shifted(place, ir.IntType(64)(r))
                    inner.store(inner.fadd(inner.load(address), lanes.total(sums[r * WINDOW + j])), address)

        call_apart(builder, f"window_back_{rows}_{signature.args[3].dtype}", given, body)
        return context.get_dummy_value()

    integer = types.intp
    return types.void(d, integer, d_distances, x, integer, x_distances, gW, integer, integer), emit
