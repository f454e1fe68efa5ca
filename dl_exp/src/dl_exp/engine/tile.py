"""A tile of a matrix product, in LLVM's own instructions: its sums live in vector registers while k runs.

6 rows of 4 vectors: 4 loads and 6 broadcasts feed 24 multiply-adds.  Layers of a network are multiples of 64 wide, and
so is this tile in float32 on the widest registers.
Source: F. Van Zee, R. van de Geijn, BLIS: A Framework for Rapidly Instantiating BLAS Functionality, ACM TOMS 41 (2015).
"""

from __future__ import annotations

from exp_core.compiled import intrinsic
from exp_core.vector.registers import Matrix, registers

ROWS = 6


def vectors() -> int:
    """Width of a tile: its sums, a row of B and an element of A must fit into the registers together."""
    return 4 if registers().count >= 32 else 2


def columns(itemsize: int) -> int:
    """The same in elements of so many bytes."""
    return vectors() * registers().lanes(itemsize)


@intrinsic
def full_tile(typing, a, b, c, add):
    """C = A B or C += A B for ROWS rows and as many columns as a tile has."""
    return _tile(ROWS, vectors(), a, b, c, add)


@intrinsic
def half_tile(typing, a, b, c, add):
    """The same, half as wide."""
    return _tile(ROWS, vectors() // 2, a, b, c, add)


@intrinsic
def narrow_tile(typing, a, b, c, add):
    """The same, one vector wide and no wider than C: for what is left over at the right edge."""
    return _tile(ROWS, 1, a, b, c, add, ragged=True)


@intrinsic
def low_tile(typing, a, b, c, add):
    """The same, one row high and no wider than C: for what is left over at the lower edge."""
    return _tile(1, vectors(), a, b, c, add, ragged=True)


@intrinsic
def lanes(typing, panel):
    """Elements of a vector."""
    from numba import types

    def emit(context, builder, signature, arguments):
        return context.get_constant(types.intp, registers().lanes(panel.dtype.bitwidth // 8))

    return types.intp(panel), emit


@intrinsic
def copy_row(typing, source, target):
    """Copy one row of a tile, as vectors: target[:] = source[:]."""
    from numba import types

    def emit(context, builder, signature, arguments):
        source, target = (Matrix(context, builder, *each) for each in zip(signature.args, arguments, strict=True))
        for v in range(vectors()):
            target.store(source.load(0, v), 0, v)
        return context.get_dummy_value()

    return types.void(source, target), emit


def _tile(rows, width, a, b, c, add, ragged=False):
    """The instructions: a is (rows, k) of any layout, b (k, width), c (rows, width) with contiguous rows; k >= 1.

    They make a function of their own that is never inlined: it is compiled once, not at every product of a network.
    """
    from llvmlite import ir
    from numba import types

    def emit(context, builder, signature, arguments):
        kinds = [context.get_value_type(each) for each in signature.args]
        name = f"tile_{rows}_{width}_{'ragged' if ragged else 'whole'}_{c.dtype}"
        module = builder.module
        function = module.globals.get(name)
        if function is None:
            function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), name)
            function.linkage = "linkonce_odr"
            function.attributes.add("noinline")
            inner = ir.IRBuilder(function.append_basic_block("entry"))
            _instructions(rows, width, ragged, context, inner, signature, function.args)
            inner.ret_void()
        builder.call(function, arguments)
        return context.get_dummy_value()

    return types.void(a, b, c, add), emit


def _instructions(rows, width, ragged, context, builder, signature, arguments):
    from llvmlite import ir

    a, b, c = (Matrix(context, builder, *each) for each in zip(signature.args[:3], arguments[:3], strict=True))
    inside = [c.inside(v) if ragged else None for v in range(width)]
    tile = [(r, v) for r in range(rows) for v in range(width)]
    before, loop, after = builder.block, builder.append_basic_block("k"), builder.append_basic_block("end")
    builder.branch(loop)

    builder.position_at_end(loop)
    p = builder.phi(ir.IntType(64), "p")
    sums = {at: builder.phi(c.vector) for at in tile}
    b_p = [b.load(p, v) for v in range(width)]
    new = {}
    for r in range(rows):
        a_rp = a.broadcast(r, p, transposed=True)
        for v in range(width):
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
