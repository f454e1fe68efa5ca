"""A row of the five-point step for plates that no cache holds: the next rows are asked for, what is made goes past.

A line that is written to is first read, by a processor that does not know that all of it will be written: a third of
the traffic.  Vectors stored past the caches fill whole lines and read none.  And a processor that sees a row being read
asks memory for its next lines, but not for those of the row after it, and begins anew in each row and each page of it:
here the row two below is asked for line by line, some microseconds before it is needed.

Source    LLVM Language Reference Manual, "llvm.prefetch", "store" and its "!nontemporal".  D. Callahan, K. Kennedy,
          A. Porterfield, Software prefetching, ASPLOS (1991), 40-52.
"""

from __future__ import annotations

from exp_core.compiled import FUSE, intrinsic, njit
from exp_core.machine.streams import LINE

AHEAD = 2  # rows: the one below is already here, as a neighbour of this one


@njit(fastmath=FUSE)
def step_points(north, here, south, new, begin, end, c, alpha):
    """One step of the points new[begin:end] of a row, written as usual."""
    middle, above, below = here[begin:end], north[begin:end], south[begin:end]
    west, east, result = here[begin - 1 : end - 1], here[begin + 1 : end + 1], new[begin:end]
    for x in range(end - begin):
        result[x] = c * middle[x] + alpha * ((above[x] + below[x]) + (west[x] + east[x]))


@intrinsic
def step_line(typing, north, here, south, new, j, c, alpha):
    """The same for a line of the cache, from new[j] on, where it begins; written past the caches."""
    from llvmlite import ir
    from numba.core import types

    def generate(context, builder, signature, arguments):
        rows = [
            context.make_array(kind)(context, builder, value).data
            for kind, value in zip(signature.args[:4], arguments[:4], strict=True)
        ]
        north, here, south, new = rows
        j, c, alpha = arguments[4:]
        itemsize = signature.args[0].dtype.bitwidth // 8
        vector = ir.VectorType(c.type, LINE // itemsize)

        def at(row, shift):
            return builder.bitcast(builder.gep(row, [builder.add(j, j.type(shift))]), vector.as_pointer())

        def loaded(row, shift=0):
            value = builder.load(at(row, shift), typ=vector)
            value.align = itemsize
            return value

        def spread(s):
            one = builder.insert_element(vector(ir.Undefined), s, ir.IntType(32)(0))
            return builder.shuffle_vector(one, one, ir.VectorType(ir.IntType(32), vector.count)(None))

        vertical, across = builder.fadd(loaded(north), loaded(south)), builder.fadd(loaded(here, -1), loaded(here, 1))
        kept = builder.fmul(spread(c), loaded(here), flags=tuple(FUSE))
        taken = builder.fmul(spread(alpha), builder.fadd(vertical, across), flags=tuple(FUSE))
        store = builder.store(builder.fadd(kept, taken, flags=tuple(FUSE)), at(new, 0))
        store.align = LINE
        store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        return context.get_dummy_value()

    return types.void(north, here, south, new, types.int64, c, alpha), generate


@intrinsic
def ask_for(typing, row, j):
    """Have the line with row[j] brought into the first cache, and do not wait for it; it need not exist."""
    from llvmlite import ir
    from numba.core import types

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        address = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        builder.call(prefetch, [address, number(0), number(3), number(1)])  # to read; it will be used again; data
        return context.get_dummy_value()

    return types.void(row, types.int64), generate


@njit
def step_row_past_caches(u, i, new, c, alpha):
    """One step of row i of u, written to new, whole lines of it past the caches; wait_for_stores() makes it visible."""
    north, here, south, result = u[i - 1], u[i], u[i + 1], new[i]
    later = u[min(i + AHEAD, u.shape[0] - 1)]
    line, last = LINE // u.itemsize, result.size - 1
    begin = min(last, 1 + (-result[1:].ctypes.data % LINE) // u.itemsize)  # where the first whole line begins
    end = begin + (last - begin) // line * line
    step_points(north, here, south, result, 1, begin, c, alpha)
    for j in range(begin, end, line):
        ask_for(later, j)
        step_line(north, here, south, result, j, c, alpha)
    step_points(north, here, south, result, end, last, c, alpha)
