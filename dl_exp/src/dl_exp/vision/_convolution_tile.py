"""A tile of a matrix product whose left factor is nowhere written down: its element (r, p) is x[starts[r] + taps[p]].

So every window of an image is a row of it, wherever the window begins, and nothing is copied.  All windows have the
same shape, hence one list, in ascending order, serves for all.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from exp_core.compiled import intrinsic
from exp_core.vector.registers import Matrix, registers
from exp_core.vector.tiles import emit_tile


@intrinsic
def wide_tile(typing, x, starts, taps, b, c, add):
    """C = A B or C += A B, three vectors wide and as high as the registers allow; x, starts and taps give A."""
    return _tile(3, x, starts, taps, b, c, add)


@intrinsic
def two_wide_tile(typing, x, starts, taps, b, c, add):
    """The same, two vectors wide: where the columns are not a multiple of the full width."""
    return _tile(2, x, starts, taps, b, c, add)


@intrinsic
def narrow_tile(typing, x, starts, taps, b, c, add):
    """The same, one vector wide, and no wider than C: for what is left over at the right edge."""
    return _tile(1, x, starts, taps, b, c, add, ragged=True)


class Windows:
    """The left factor: what ``exp_core.vector.tiles.emit_tile`` asks of one."""

    def __init__(self, context, builder, types, values):
        from numba.core import cgutils

        x, starts, taps = (
            context.make_array(type_)(context, builder, value)
            for type_, value in zip(types[:3], values[:3], strict=True)
        )
        self.builder, self.taps = builder, taps.data
        count = cgutils.unpack_tuple(builder, taps.shape)[0]
        self.last = self._tap(builder.sub(count, count.type(1)))
        self.matrix = Matrix(context, builder, types[4], values[4])
        self.rows = [
            builder.gep(x.data, [builder.load(builder.gep(starts.data, [count.type(r)]))])
            for r in range(registers().rows)
        ]

    def broadcast(self, r, p):
        """One element in every lane."""
        return self.matrix.spread(self.builder.load(self.builder.gep(self.rows[r], [self._tap(p)])), self.matrix.vector)

    def more(self, p):
        """Whether a row goes on.  LLVM must not know how often: it would unroll the loop and run out of registers."""
        return self.builder.icmp_signed("!=", self._tap(p), self.last)

    def _tap(self, p):
        return self.builder.load(self.builder.gep(self.taps, [p]))


def _tile(vectors, x, starts, taps, b, c, add, ragged=False):
    """x (any), starts (rows,), taps (k,), each contiguous; b (k, vectors), c (rows, vectors) with contiguous rows."""
    from numba import types

    def emit(context, builder, signature, arguments):
        a = Windows(context, builder, signature.args, arguments)
        b_, c_ = (Matrix(context, builder, signature.args[i], arguments[i]) for i in (3, 4))
        emit_tile(registers().rows, vectors, builder, a, b_, c_, arguments[5], ragged=ragged, prefetch=True)
        return context.get_dummy_value()

    return types.void(x, starts, taps, b, c, add), emit
