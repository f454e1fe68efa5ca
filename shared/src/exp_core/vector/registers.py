"""The processor's vector registers, and a NumPy array as LLVM sees it: addresses, vectors of elements, and masks."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import functools
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Registers:
    """The vector registers of a processor, and the tile of C that fits into them."""

    bytes: int  # width of one
    count: int

    vectors = 3  # width of the tile, in vectors

    @property
    def rows(self) -> int:
        """Height of the tile: rows * vectors sums, one row of B and one element of A must fit together."""
        return 8 if self.count >= 32 else 4

    def lanes(self, itemsize: int) -> int:
        """Elements of that many bytes in one vector."""
        return self.bytes // itemsize


@functools.cache
def registers() -> Registers:
    """Those of the processor that Numba compiles for.  Only speed depends on it: LLVM splits too wide a vector."""
    from numba.core.registry import cpu_target

    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    if "+avx512f" in features:
        return Registers(bytes=64, count=32)
    if "+avx" in features.split(","):
        return Registers(bytes=32, count=16)
    return Registers(bytes=16, count=32 if triple.startswith(("aarch64", "arm64")) else 16)


class Matrix:
    """An array in LLVM's terms: where its rows begin, and its elements as vectors.

    transposed: the elements of a row need not be neighbours; they are read one by one.
    """

    def __init__(self, context, builder, type_, value, *, transposed=False):
        from llvmlite import ir
        from numba.core import cgutils

        array = context.make_array(type_)(context, builder, value)
        self.builder, self.data, self.transposed = builder, array.data, transposed
        self.stride, self.step = (cgutils.unpack_tuple(builder, array.strides)[i] for i in (0, -1))
        self.columns = cgutils.unpack_tuple(builder, array.shape)[-1]
        self.element = context.get_value_type(type_.dtype)
        self.itemsize = type_.dtype.bitwidth // 8
        self.vector = ir.VectorType(self.element, registers().lanes(self.itemsize))
        self.name = f"v{self.vector.count}f{8 * self.itemsize}"  # of the vector, in the names of LLVM's functions

    def at(self, r, column=0):
        """The address of an element; its row is a number or, in a loop, a value."""
        from llvmlite import ir

        byte, integer = ir.IntType(8).as_pointer(), self.stride.type
        offset = self.builder.mul(self.stride, integer(r) if isinstance(r, int) else r)
        row = self.builder.gep(self.builder.bitcast(self.data, byte), [offset])
        column = integer(column) if isinstance(column, int) else column
        return self.builder.gep(self.builder.bitcast(row, self.element.as_pointer()), [column])

    def anywhere(self, r, column):
        """The same where the elements of a row need not be neighbours: of a transposed matrix."""
        from llvmlite import ir

        start = self.builder.bitcast(self.at(r), ir.IntType(8).as_pointer())
        address = self.builder.gep(start, [self.builder.mul(self.step, column)])
        return self.builder.bitcast(address, self.element.as_pointer())

    def _vector_at(self, r, v):
        return self.builder.bitcast(self.at(r, v * self.vector.count), self.vector.as_pointer())

    def inside(self, v):
        """Which lanes of the v-th vector of a row lie before the row's end."""
        from llvmlite import ir

        numbers = ir.VectorType(self.columns.type, self.vector.count)
        columns = numbers([v * self.vector.count + lane for lane in range(self.vector.count)])
        return self.builder.icmp_signed("<", columns, self.spread(self.columns, numbers))

    def load(self, r, v, inside=None):
        """The v-th vector of row r, or its lanes inside; arrays are aligned to their elements, not to vectors."""
        from llvmlite import ir

        address = self._vector_at(r, v)
        if inside is None:
            loaded = self.builder.load(address, typ=self.vector)
            loaded.align = self.itemsize
            return loaded
        align = ir.IntType(32)(self.itemsize)
        arguments = [address, align, inside, self.vector(None)]
        return self._call(f"llvm.masked.load.{self.name}.p0", self.vector, arguments)

    def store(self, value, r, v, inside=None):
        """Its counterpart."""
        from llvmlite import ir

        address = self._vector_at(r, v)
        if inside is None:
            self.builder.store(value, address).align = self.itemsize
        else:
            align = ir.IntType(32)(self.itemsize)
            self._call(f"llvm.masked.store.{self.name}.p0", ir.VoidType(), [value, address, align, inside])

    def prefetch(self, r, v):
        """Ask for the cache line, to be written, without waiting for it."""
        from llvmlite import ir

        address = self.builder.bitcast(self._vector_at(r, v), ir.IntType(8).as_pointer())
        self._call("llvm.prefetch.p0", ir.VoidType(), [address, *(ir.IntType(32)(flag) for flag in (1, 3, 1))])

    def broadcast(self, r, column):
        """One element in every lane."""
        address = self.anywhere(r, column) if self.transposed else self.at(r, column)
        return self.spread(self.builder.load(address, typ=self.element), self.vector)

    def more(self, column):
        """Whether a row goes on after this element."""
        return self.builder.icmp_signed("<", self.builder.add(column, column.type(1)), self.columns)

    def multiply_add(self, x, y, z):
        """x y + z, fused where the processor can; llvm.fma would call a slow function where it cannot."""
        return self._call(f"llvm.fmuladd.{self.name}", self.vector, [x, y, z])

    def spread(self, value, vector=None):
        """A value in every lane: of one of ours, or of another vector."""
        from llvmlite import ir

        vector = vector or self.vector
        nothing, index = vector(ir.Undefined), ir.IntType(32)
        one = self.builder.insert_element(nothing, value, index(0))
        return self.builder.shuffle_vector(one, nothing, ir.VectorType(index, vector.count)(None))

    def _call(self, name, result, arguments):
        from llvmlite import ir

        module = self.builder.module
        function = module.globals.get(name)
        if function is None:
            function = ir.Function(module, ir.FunctionType(result, [each.type for each in arguments]), name)
        return self.builder.call(function, arguments)
