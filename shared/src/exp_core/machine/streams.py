"""The four loops of STREAM, and reading: what memory can deliver.  An element counts for every array that it is in.

                                            bytes for each element of n     operations
    copy    $a = b$                          2 itemsize                      0
    scale   $a = s b$                        2 itemsize                      1
    add     $a = b + c$                      3 itemsize                      1
    triad   $a = b + s c$                    3 itemsize                      2

A processor that writes part of a cache line must read the line first, so that memory moves a further itemsize for each
element of a, which nobody asked for.  Stores past the caches write whole lines and need not read them.

Source    J. D. McCalpin, Memory bandwidth and machine balance in current high performance computers, IEEE TCCA
          Newsletter (1995), and the STREAM benchmark's definition of its four kernels.
"""

from __future__ import annotations

from exp_core.aligned import LINE
from exp_core.compiled import REORDER, intrinsic, njit

COPY, SCALE, ADD, TRIAD = range(4)
NAMES = ("copy", "scale", "add", "triad")
ARRAYS = (2, 2, 3, 3)  # that each of them passes through
FLOPS = (0, 1, 1, 2)  # for each element


@njit(fastmath=REORDER)
def read(x):
    """The sum of everything."""
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i]
    return total


@njit
def copy(a, b):
    """a = b."""
    for i in range(a.size):
        a[i] = b[i]


@njit
def scale(a, b, s):
    """a = s b."""
    for i in range(a.size):
        a[i] = s * b[i]


@njit
def add(a, b, c):
    """a = b + c."""
    for i in range(a.size):
        a[i] = b[i] + c[i]


@njit
def triad(a, b, c, s):
    """a = b + s c."""
    for i in range(a.size):
        a[i] = b[i] + s * c[i]


@njit
def stream(operation, a, b, c, s):
    """One of the four, by its number."""
    if operation == COPY:
        copy(a, b)
    elif operation == SCALE:
        scale(a, b, s)
    elif operation == ADD:
        add(a, b, c)
    else:
        triad(a, b, c, s)


@intrinsic
def copy_line(typing, a, b, c, s, i):
    """A whole cache line of a = b, from element i on, past the caches; its first element lies at a line's beginning."""
    return _line(lambda builder, b, c, s: b(), a, b, c, s, i)


@intrinsic
def scale_line(typing, a, b, c, s, i):
    """The same for a = s b."""
    return _line(lambda builder, b, c, s: builder.fmul(s(), b()), a, b, c, s, i)


@intrinsic
def add_line(typing, a, b, c, s, i):
    """The same for a = b + c."""
    return _line(lambda builder, b, c, s: builder.fadd(b(), c()), a, b, c, s, i)


@intrinsic
def triad_line(typing, a, b, c, s, i):
    """The same for a = b + s c."""
    return _line(lambda builder, b, c, s: builder.fadd(b(), builder.fmul(s(), c())), a, b, c, s, i)


def _line(formula, a, b, c, s, i):
    """Load, compute, and store as vectors with LLVM's mark !nontemporal: the caches are neither asked nor filled."""
    from llvmlite import ir
    from numba.core import types

    from exp_core.machine.chains import vector_registers

    width = min(vector_registers()[0], LINE)

    def generate(context, builder, signature, arguments):
        arrays = [
            context.make_array(type_)(context, builder, value).data
            for type_, value in zip(signature.args[:3], arguments[:3], strict=True)
        ]
        s, i = arguments[3:]
        itemsize = signature.args[0].dtype.bitwidth // 8
        vector = ir.VectorType(s.type, width // itemsize)
        mark = builder.module.add_metadata([ir.IntType(32)(1)])

        def at(array, part):
            address = builder.gep(array, [builder.add(i, i.type(part * vector.count))])
            return builder.bitcast(address, vector.as_pointer())

        def loaded(array, part):
            value = builder.load(at(array, part), typ=vector)
            value.align = itemsize
            return value

        def spread():
            one = builder.insert_element(vector(ir.Undefined), s, ir.IntType(32)(0))
            return builder.shuffle_vector(one, one, ir.VectorType(ir.IntType(32), vector.count)(None))

        for part in range(LINE // width):
            terms = (lambda array=array, part=part: loaded(array, part) for array in arrays[1:])
            store = builder.store(formula(builder, *terms, spread), at(arrays[0], part))
            store.align = width
            store.set_metadata("nontemporal", mark)
        return context.get_dummy_value()

    return types.void(a, b, c, a.dtype, types.int64), generate


@intrinsic
def wait_for_stores(typing):
    """Stores past the caches are in no order with others: wait until everybody sees them."""
    from numba.core import types

    def generate(context, builder, signature, arguments):
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate


@njit
def stream_past_caches(operation, a, b, c, s):
    """One of the four, with a written past the caches: its whole lines so, and the ends as usual."""
    line = LINE // a.itemsize
    head = min(a.size, (-a.ctypes.data % LINE) // a.itemsize)  # elements before the first line begins
    end = head + (a.size - head) // line * line
    stream(operation, a[:head], b[:head], c[:head], s)
    if operation == COPY:
        for i in range(head, end, line):
            copy_line(a, b, c, s, i)
    elif operation == SCALE:
        for i in range(head, end, line):
            scale_line(a, b, c, s, i)
    elif operation == ADD:
        for i in range(head, end, line):
            add_line(a, b, c, s, i)
    else:
        for i in range(head, end, line):
            triad_line(a, b, c, s, i)
    stream(operation, a[end:], b[end:], c[end:], s)
    wait_for_stores()
