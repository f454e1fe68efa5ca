"""The inner kernel of matrix multiplication, in LLVM's own instructions: a tile of C lives in vector registers.

No compiler finds this by itself from loops: the tile of C, say 8 rows of 3 vectors, stays in registers while p runs, so
that 3 + 8 loads feed 24 multiply-adds, where the plain inner loop pays two loads and a store for each one.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from exp_core.compiled import intrinsic
from exp_core.vector.registers import Matrix, registers


@intrinsic
def full_tile(typing, a, b, c, add):
    """C = A B or C += A B, for as many rows and vectors as fit into the registers."""
    return _tile(registers().rows, registers().vectors, a, b, c, add)


@intrinsic
def narrow_tile(typing, a, b, c, add):
    """The same, one vector wide, and no wider than C: for what is left over at the right edge."""
    return _tile(registers().rows, 1, a, b, c, add, ragged=True)


@intrinsic
def low_tile(typing, a, b, c, add):
    """The same, one row high, and no wider than C: for what is left over at the lower edge."""
    return _tile(1, registers().vectors, a, b, c, add, ragged=True)


@intrinsic
def copy_row(typing, source, target):
    """Copy one row of a tile, as vectors: target[:] = source[:]."""
    from numba import types

    def emit(context, builder, signature, arguments):
        source, target = (Matrix(context, builder, *each) for each in zip(signature.args, arguments, strict=True))
        for v in range(registers().vectors):
            target.store(source.load(0, v), 0, v)
        return context.get_dummy_value()

    return types.void(source, target), emit


def _tile(rows, vectors, a, b, c, add, ragged=False):
    """A kernel: a is (rows, k), b (k, vectors), c (rows, vectors); all have contiguous rows."""
    from numba import types

    def emit(context, builder, signature, arguments):
        x, y, z = (Matrix(context, builder, signature.args[i], arguments[i]) for i in range(3))
        emit_tile(rows, vectors, builder, x, y, z, arguments[3], ragged=ragged, prefetch=True)
        return context.get_dummy_value()

    return types.void(a, b, c, add), emit


def emit_tile(rows, vectors, builder, a, b, c, add, *, ragged=False, prefetch=False):
    """The instructions of C = A B or C += A B for one tile, add being a boolean in LLVM's terms.

    b, c are a Matrix each; a is one, or anything that has ``broadcast(r, p)`` and ``more(p)``.
    ragged: C may end in the middle of a vector.
    """
    from llvmlite import ir

    inside = [c.inside(v) if ragged else None for v in range(vectors)]
    tile = [(r, v) for r in range(rows) for v in range(vectors)]
    for r, v in tile if prefetch else ():
        c.prefetch(r, v)  # it is not needed before the loop is over
    before, loop, after = builder.block, builder.append_basic_block("k"), builder.append_basic_block("end")
    builder.branch(loop)

    builder.position_at_end(loop)
    p = builder.phi(ir.IntType(64), "p")
    sums = {at: builder.phi(c.vector) for at in tile}
    b_p = [b.load(p, v) for v in range(vectors)]
    new = {}
    for r in range(rows):
        a_rp = a.broadcast(r, p)
        for v in range(vectors):
            new[r, v] = c.multiply_add(a_rp, b_p[v], sums[r, v])
    following = builder.add(p, p.type(1))
    for phi, first, then in [(p, p.type(0), following), *((sums[at], c.vector(None), new[at]) for at in tile)]:
        phi.add_incoming(first, before)
        phi.add_incoming(then, loop)
    builder.cbranch(a.more(p), loop, after)

    builder.position_at_end(after)
    with builder.if_else(builder.trunc(add, ir.IntType(1))) as (accumulate, assign):
        with accumulate:
            for r, v in tile:
                c.store(builder.fadd(c.load(r, v, inside[v]), new[r, v]), r, v, inside[v])
        with assign:
            for r, v in tile:
                c.store(new[r, v], r, v, inside[v])
