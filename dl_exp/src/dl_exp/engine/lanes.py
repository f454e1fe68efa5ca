"""Vector registers, in LLVM's own instructions: addresses, vectors, and the loop that adds to them."""

from __future__ import annotations

from exp_core.vector.registers import registers


class Memory:
    """A contiguous NumPy array of one or two dimensions as addresses."""

    def __init__(self, context, builder, signature, arguments, i):
        from numba.core import cgutils

        type_ = signature.args[i]
        array = context.make_array(type_)(context, builder, arguments[i])
        self.builder, self.data = builder, array.data
        self.size = self.step = cgutils.unpack_tuple(builder, array.shape)[-1]
        self.element = context.get_value_type(type_.dtype)

    def at(self, *index):
        """The address of an element."""
        position = index[0] if len(index) == 1 else self.builder.add(self.builder.mul(index[0], self.step), index[1])
        return self.builder.gep(self.data, [position])


class Lanes:
    """What is done with a vector of elements."""

    def __init__(self, builder, element):
        from llvmlite import ir

        self.builder, self.element = builder, element
        self.itemsize = {"float": 4, "double": 8}[str(element)]
        self.count = registers().lanes(self.itemsize)
        self.vector = ir.VectorType(element, self.count)
        self.bits = ir.VectorType(ir.IntType(8 * self.itemsize), self.count)
        self.zero = self.vector(None)
        self.name = f"v{self.count}f{8 * self.itemsize}"

    def shifted(self, address, elements):
        """The address so many elements further."""
        return self.builder.gep(address, [elements])

    def _at(self, address, elements):
        from llvmlite import ir

        return self.builder.bitcast(self.shifted(address, ir.IntType(64)(elements)), self.vector.as_pointer())

    def load(self, address, elements, inside=None, outside=None):
        """The vector that begins there; arrays are aligned to their elements.  Of lanes not inside: what is outside."""
        from llvmlite import ir

        place, name = self._at(address, elements), f"llvm.masked.load.{self.name}.p0"
        if inside is not None:
            given = [place, ir.IntType(32)(self.itemsize), inside, outside]
            return self.builder.call(self._function(name, self.vector, [value.type for value in given]), given)
        loaded = self.builder.load(place, typ=self.vector)
        loaded.align = self.itemsize
        return loaded

    def store(self, value, address, elements, inside=None):
        """Its counterpart."""
        from llvmlite import ir

        place, name = self._at(address, elements), f"llvm.masked.store.{self.name}.p0"
        if inside is None:
            self.builder.store(value, place).align = self.itemsize
        else:
            given = [value, place, ir.IntType(32)(self.itemsize), inside]
            self.builder.call(self._function(name, ir.VoidType(), [each.type for each in given]), given)

    def store_past_caches(self, value, address):
        """The caches are neither asked nor filled; the address is that of a whole vector."""
        from llvmlite import ir

        stored = self.builder.store(value, self._at(address, 0))
        stored.align = self.itemsize * self.count
        stored.set_metadata("nontemporal", self.builder.module.add_metadata([ir.IntType(32)(1)]))

    def first(self, count):
        """Which lanes are among the first so many."""
        from llvmlite import ir

        numbers = ir.VectorType(count.type, self.count)
        return self.builder.icmp_signed("<", numbers([*range(self.count)]), self._spread(count, numbers))

    def constant(self, value):
        """The same number in every lane, known now."""
        return self.vector([self.element(value)] * self.count)

    def spread(self, value):
        """A number in every lane."""
        return self._spread(value, self.vector)

    def _spread(self, value, vector):
        from llvmlite import ir

        nothing, index = vector(ir.Undefined), ir.IntType(32)
        one = self.builder.insert_element(nothing, value, index(0))
        return self.builder.shuffle_vector(one, nothing, ir.VectorType(index, self.count)(None))

    def multiply_add(self, x, y, z):
        """x y + z, fused where the processor can."""
        return self.builder.call(self._function(f"llvm.fmuladd.{self.name}", self.vector, [self.vector] * 3), [x, y, z])

    def total(self, x):
        """The sum of all lanes, in any order."""
        function = self._function(f"llvm.vector.reduce.fadd.{self.name}", self.element, [self.element, self.vector])
        return self.builder.call(function, [self.element(0), x], fastmath=("reassoc",))

    def largest(self, x):
        """The largest of all lanes, none of which is NaN."""
        function = self._function(f"llvm.vector.reduce.fmax.{self.name}", self.element, [self.vector])
        return self.builder.call(function, [x])

    def _function(self, name, result, arguments):
        from llvmlite import ir

        module = self.builder.module
        return module.globals.get(name) or ir.Function(module, ir.FunctionType(result, arguments), name)


def summed(builder, count, width, zero, body):
    """``width`` sums, from zero, through ``sums = body(p, sums)`` for p = 0 ... count - 1; count is at least 1."""
    from llvmlite import ir

    before, loop, after = builder.block, builder.append_basic_block("p"), builder.append_basic_block("end")
    builder.branch(loop)
    builder.position_at_end(loop)
    p, sums = builder.phi(ir.IntType(64)), [builder.phi(zero.type) for _ in range(width)]
    new = body(p, sums)
    following = builder.add(p, p.type(1))
    for phi, first, then in [(p, p.type(0), following), *((s, zero, n) for s, n in zip(sums, new, strict=True))]:
        phi.add_incoming(first, before)
        phi.add_incoming(then, loop)
    builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
    builder.position_at_end(after)
    return new


def call_apart(builder, name, given, body):
    """Call a function of its own that is never inlined: it is compiled once, not wherever it is used."""
    from llvmlite import ir

    module = builder.module
    function = module.globals.get(name)
    if function is None:
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), [value.type for value in given]), name)
        function.linkage = "linkonce_odr"
        function.attributes.add("noinline")
        inner = ir.IRBuilder(function.append_basic_block("entry"))
        body(inner, *function.args)
        inner.ret_void()
    builder.call(function, given)
