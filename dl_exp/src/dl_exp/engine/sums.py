"""The innermost loops of ``engine.window``, as LLVM's instructions: sums over a list of distances, kept in registers.

Each function makes a Numba intrinsic's signature and its emitter for so many channels and pixels at once.
"""

from __future__ import annotations

from dl_exp.engine.lanes import Lanes, Memory, call_apart, summed

WINDOW = 5  # columns of the window whose weights' derivatives are summed at once


def forwards(rows, vectors, W, x, distances, y):
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


def backwards(rows, d, d_distances, x, x_distances, gW):
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
