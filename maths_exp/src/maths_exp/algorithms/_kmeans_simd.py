"""Vector registers as values in compiled code: a kernel says what stays in registers, and the compiler obeys.

LLVM vectorises an inner loop by itself, but puts the accumulators of a nest of loops back into memory after every step.
Here a value is a vector of 64 bytes, 16 float32 or 8 float64, and LLVM maps it onto what the machine has: one register
with AVX-512, two with AVX2, four with NEON. Five operations suffice: load, store, splat, minus_product, where_less.

Source    LLVM Language Reference, "Vector Type"; Numba's manual, "Extending Numba", for `intrinsic` and data models.
"""

from __future__ import annotations

import functools

from exp_core.compiled import intrinsic

BYTES = 64


@functools.cache
def vector(element):
    """The type of a vector of 64 bytes of Numba's type `element`."""
    return _vector_type()(element)


@functools.cache
def _vector_type():
    from llvmlite import ir
    from numba.core import types
    from numba.extending import models, register_model

    class Vector(types.Type):
        def __init__(self, element):
            self.element, self.lanes = element, BYTES * 8 // element.bitwidth
            super().__init__(f"Vector({self.lanes} x {element})")

    @register_model(Vector)
    class VectorModel(models.PrimitiveModel):
        def __init__(self, manager, vector):
            element = manager.lookup(vector.element).get_value_type()
            super().__init__(manager, vector, ir.VectorType(element, vector.lanes))

    return Vector


def _address(context, builder, array_type, array, i, vector_type):
    """A pointer to the vector that begins at element i of a one-dimensional contiguous array."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [i]), vector_type.as_pointer())


def _splat(builder, vector_type, s):
    from llvmlite import ir

    lane, undefined = ir.IntType(32), ir.Constant(vector_type, ir.Undefined)
    first = builder.insert_element(undefined, s, lane(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(lane, vector_type.count), None))


@intrinsic
def load(typing, a, i):
    """The vector a[i], a[i + 1], ... of an array of shape (n,)."""
    from numba.core import types

    result = vector(a.dtype)

    def generate(context, builder, signature, arguments):
        address = _address(context, builder, a, *arguments, context.get_value_type(result))
        return builder.load(address, align=a.dtype.bitwidth // 8)

    return result(a, types.intp), generate


@intrinsic
def store(typing, a, i, x):
    """Write the vector x to a[i], a[i + 1], ...: an array of shape (n,)."""
    from numba.core import types

    def generate(context, builder, signature, arguments):
        *place, value = arguments
        builder.store(value, _address(context, builder, a, *place, value.type), align=a.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(a, types.intp, x), generate


@intrinsic
def splat(typing, like, s):
    """The vector s, s, ..., s, of the element type of the array or vector `like`."""
    element = getattr(like, "element", None) or like.dtype
    result = vector(element)

    def generate(context, builder, signature, arguments):
        s = context.cast(builder, arguments[1], signature.args[1], element)
        return _splat(builder, context.get_value_type(result), s)

    return result(like, s), generate


@intrinsic
def minus_product(typing, a, s, x):
    """a - s x for a number s: one fused instruction where the machine has it."""

    def generate(context, builder, signature, arguments):
        a, s, x = arguments
        product = builder.fmul(_splat(builder, x.type, s), x, flags=("contract",))
        return builder.fsub(a, product, flags=("contract",))

    return a(a, s, x), generate


@intrinsic
def where_less(typing, a, b, x, y):
    """Lane by lane x where a < b, and y where not."""

    def generate(context, builder, signature, arguments):
        a, b, x, y = arguments
        return builder.select(builder.fcmp_ordered("<", a, b), x, y)

    return x(a, b, x, y), generate
