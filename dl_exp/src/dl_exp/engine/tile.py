"""A tile of a matrix product, in LLVM's own instructions: its sums live in vector registers while k runs.

6 rows of 4 vectors: 4 loads and 6 broadcasts feed 24 multiply-adds.  Layers of a network are multiples of 64 wide, and
so is this tile in float32 on the widest registers.
Source: F. Van Zee, R. van de Geijn, BLIS: A Framework for Rapidly Instantiating BLAS Functionality, ACM TOMS 41 (2015).
"""

from __future__ import annotations

from exp_core.compiled import intrinsic
from exp_core.vector.registers import Matrix, registers
from exp_core.vector.tiles import emit_tile

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
            x, y, z = (Matrix(context, inner, signature.args[i], function.args[i], transposed=i == 0) for i in range(3))
            emit_tile(rows, width, inner, x, y, z, function.args[3], ragged=ragged)
            inner.ret_void()
        builder.call(function, arguments)
        return context.get_dummy_value()

    return types.void(a, b, c, add), emit
