"""Vectors of float32 numbers and of 32-bit words as LLVM has them: loaded, in part too, spread and added up."""

from __future__ import annotations

ALIGN = 4  # bytes: arrays are aligned to their elements


class Vectors:
    """Instructions on vectors of so many lanes.  size: LLVM's type of a place in an array."""

    def __init__(self, builder, lanes, size):
        from llvmlite import ir

        self.ir, self.builder, self.lanes, self.size = ir, builder, lanes, size
        self.integer = ir.IntType(32)
        self.floats, self.integers = (ir.VectorType(each, lanes) for each in (ir.FloatType(), self.integer))

    def every(self, value):
        """A whole number in all lanes."""
        return self.integers([value] * self.lanes)

    def spread(self, value):
        """A number in all lanes."""
        one = self.builder.insert_element(self.floats(self.ir.Undefined), value, self.integer(0))
        return self.builder.shuffle_vector(one, one, self.integers(None))

    def load(self, array, at, kind, left=None):
        """A vector from an element on; of its elements only those that are left, and zeros."""
        builder, ir = self.builder, self.ir
        address = builder.bitcast(builder.gep(array, [at]), kind.as_pointer())
        if left is None:
            loaded = builder.load(address, typ=kind)
            loaded.align = ALIGN
            return loaded
        numbers = ir.VectorType(self.size, kind.count)
        limit = builder.insert_element(numbers(ir.Undefined), left, self.integer(0))
        limit = builder.shuffle_vector(limit, limit, ir.VectorType(self.integer, kind.count)(None))
        inside = builder.icmp_unsigned("<", ir.Constant(numbers, list(range(kind.count))), limit)
        return self.call("llvm.masked.load", [address, self.integer(ALIGN), inside, kind(None)], kind, ".p0")

    def added(self, sums):
        """All lanes of all chains as one number: pairs, and pairs of pairs."""
        while len(sums) > 1:
            sums = [self.builder.fadd(a, b) for a, b in zip(sums[::2], sums[1::2], strict=True)]
        name = f"llvm.vector.reduce.fadd.v{self.lanes}f32"
        number = self.ir.FloatType()
        function = self.declared(name, number, [number, self.floats])
        return self.builder.call(function, [number(0.0), sums[0]], fastmath=("reassoc",))

    def call(self, name, arguments, kind=None, suffix=""):
        """One of LLVM's functions on vectors."""
        kind = kind or self.floats
        element = "f" if isinstance(kind.element, self.ir.FloatType) else "i"
        function = self.declared(f"{name}.v{kind.count}{element}32{suffix}", kind, [each.type for each in arguments])
        return self.builder.call(function, arguments)

    def declared(self, name, result, arguments):
        """A function of LLVM, declared once a module."""
        ir, known = self.ir, self.builder.module.globals
        return known.get(name) or ir.Function(self.builder.module, ir.FunctionType(result, arguments), name)
