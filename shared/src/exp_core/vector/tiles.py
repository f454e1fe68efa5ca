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
def two_wide_tile(typing, a, b, c, add):
    """The same, two vectors wide: where the columns are not a multiple of the full width."""
    return _tile(registers().rows, 2, a, b, c, add)


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


@intrinsic
def overlapping(typing, line, rows, columns, step):
    """A contiguous array as a matrix (rows, columns) whose row r begins at its element r step: nothing is copied.

    Nobody checks that the last row ends before the array does.
    """
    from numba.core import cgutils, types
    from numba.np.arrayobj import populate_array

    def emit(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        integer = arguments[1].type
        itemsize = integer(signature.return_type.dtype.bitwidth // 8)
        matrix = context.make_array(signature.return_type)(context, builder)
        populate_array(
            matrix,
            data=array.data,
            shape=cgutils.pack_array(builder, [arguments[1], arguments[2]]),
            strides=cgutils.pack_array(builder, [builder.mul(arguments[3], itemsize), itemsize]),
            itemsize=itemsize,
            meminfo=None,
        )
        return matrix._getvalue()

    view = types.Array(line.dtype, 2, "A")
    return view(line, types.intp, types.intp, types.intp), emit


def _tile(rows, vectors, a, b, c, add, ragged=False):
    """A kernel: a is (rows, k), b (k, vectors), c (rows, vectors); all have contiguous rows."""
    from numba import types

    def emit(context, builder, signature, arguments):
        emit_tile(rows, vectors, context, builder, signature, arguments, ragged=ragged, prefetch=True)
        return context.get_dummy_value()

    return types.void(a, b, c, add), emit


def emit_tile(rows, vectors, context, builder, signature, arguments, *, ragged=False, transposed=False, prefetch=False):
    """The instructions of C = A B or C += A B for one tile.

    ragged: C may end in the middle of a vector.     transposed: a row's elements in A need not be neighbours.
    """
    from llvmlite import ir

    a, b, c = (Matrix(context, builder, *each) for each in zip(signature.args[:3], arguments[:3], strict=True))
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
        a_rp = a.broadcast(r, p, transposed=transposed)
        for v in range(vectors):
            new[r, v] = c.multiply_add(a_rp, b_p[v], sums[r, v])
    following = builder.add(p, p.type(1))
    for phi, first, then in [(p, p.type(0), following), *((sums[at], c.vector(None), new[at]) for at in tile)]:
        phi.add_incoming(first, before)
        phi.add_incoming(then, loop)
    builder.cbranch(builder.icmp_signed("<", following, a.columns), loop, after)

    builder.position_at_end(after)
    with builder.if_else(builder.trunc(arguments[3], ir.IntType(1))) as (accumulate, assign):
        with accumulate:
            for r, v in tile:
                c.store(builder.fadd(c.load(r, v, inside[v]), new[r, v]), r, v, inside[v])
        with assign:
            for r, v in tile:
                c.store(new[r, v], r, v, inside[v])
