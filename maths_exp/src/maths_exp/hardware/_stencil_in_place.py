"""A step of the five-point stencil in place: each row is written where it was read, and no second grid is there.

Row i of the new grid needs the rows i - 1, i and i + 1 of the old one.  Who overwrites row i while going down has lost
row i - 1 already: so a copy of that row is kept, in the first cache.  It gives way to a copy of row i line by line, as
row i is stepped, so that one row of room is enough.  Memory then reads a line and writes the same line: nothing is read
only to be overwritten, half as many pages are asked of the system, and the cache has to hold half as much.

A processor asks memory for what follows in a page, and begins anew in each page.  64 GB/s for one core means that some
fifty lines are under way at a time, more than the instructions that it looks ahead are about: here each line is asked
for 8 kB before it is needed.

Source    LLVM Language Reference Manual, "llvm.prefetch" and "shufflevector".  D. Callahan, K. Kennedy, A. Porterfield,
          Software prefetching, ASPLOS (1991), 40-52.
"""

from __future__ import annotations

from exp_core.aligned import LINE
from exp_core.compiled import FUSE, intrinsic, njit

AHEAD = 8192  # bytes: one core and 32 MB, GB/s: 37 without, 45 at 2048, 55 at 4096, 66 at 8192, 62 at 16384


@njit(fastmath=FUSE)
def step_points(here, beyond, kept, begin, end, c, alpha):
    """One step of the points here[begin:end] of a row, in place; kept[:begin] holds this row's old points already."""
    west = kept[begin - 1]
    for x in range(begin, end):
        middle = here[x]
        here[x] = c * middle + alpha * ((kept[x] + beyond[x]) + (west + here[x + 1]))
        kept[x] = west = middle


@intrinsic
def step_line(typing, here, beyond, kept, j, c, alpha):
    """The same for as many points as a line of the cache holds, from here[j] on; kept has a line before its first."""
    from llvmlite import ir
    from numba.core import types

    def generate(context, builder, signature, arguments):
        here, beyond, kept = [
            context.make_array(kind)(context, builder, value).data
            for kind, value in zip(signature.args[:3], arguments[:3], strict=True)
        ]
        j, c, alpha = arguments[3:]
        itemsize = signature.args[0].dtype.bitwidth // 8
        lanes, number = LINE // itemsize, ir.IntType(32)
        vector, places = ir.VectorType(c.type, lanes), ir.VectorType(number, lanes)

        def at(row, shift):
            return builder.bitcast(builder.gep(row, [builder.add(j, j.type(shift))]), vector.as_pointer())

        def loaded(row, shift=0):
            value = builder.load(at(row, shift), typ=vector)
            value.align = itemsize
            return value

        def spread(s):
            one = builder.insert_element(vector(ir.Undefined), s, number(0))
            return builder.shuffle_vector(one, one, places(None))

        # the points to the west are stepped already; what they were is the end of the last line kept, and this line
        middle, last_of_one = loaded(here), places([number(lanes - 1 + lane) for lane in range(lanes)])
        west = builder.shuffle_vector(loaded(kept, -lanes), middle, last_of_one)
        around = builder.fadd(builder.fadd(loaded(kept), loaded(beyond)), builder.fadd(west, loaded(here, 1)))
        own = builder.fmul(spread(c), middle, flags=tuple(FUSE))
        taken = builder.fmul(spread(alpha), around, flags=tuple(FUSE))
        for value, row in ((middle, kept), (builder.fadd(own, taken, flags=tuple(FUSE)), here)):
            builder.store(value, at(row, 0)).align = itemsize
        return context.get_dummy_value()

    return types.void(here, beyond, kept, types.int64, c, alpha), generate


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
def step_row_in_place(here, beyond, kept, towards, c, alpha):
    """One step of a row that lies between kept, the row before it as it was, and beyond, the one that comes next.

    Then kept is this row as it was.  towards: 1 if beyond is the row below, -1 if it is the one above; what will be
    needed next lies AHEAD bytes further on in the rows that are still to come.
    """
    line, last, columns = LINE // here.itemsize, here.size - 1, here.size
    later = AHEAD // here.itemsize
    rest, whole = later % columns, later // columns  # in the row that so many rows further on comes next
    kept[0] = here[0]
    begin = min(last, 1 + (-here[1:].ctypes.data % LINE) // here.itemsize)  # where the first whole line begins
    end = begin + (last - begin) // line * line
    turn = begin + max(end - begin - rest, 0) // line * line  # from here on it lies in the row after that
    step_points(here, beyond, kept, 1, begin, c, alpha)
    for j in range(begin, turn, line):
        ask_for(beyond, j + rest + towards * whole * columns)
        step_line(here, beyond, kept, j, c, alpha)
    for j in range(turn, end, line):
        ask_for(beyond, j + rest - columns + towards * (whole + 1) * columns)
        step_line(here, beyond, kept, j, c, alpha)
    step_points(here, beyond, kept, end, last, c, alpha)
    kept[last] = here[last]


@njit
def sweep(u, new, begin, end, before, after, kept, towards, c, alpha):
    """One step of the rows from begin to end of new, in place, downwards or upwards; the plate's edge stays.

    before, after: the rows on either side of them, as they were, in the order of the sweep.
    u: where new is to be brought from first, each row just before it is needed; new itself where it is there.
    """
    rows, columns = new.shape
    i = begin if towards > 0 else end - 1
    bring = u.ctypes.data != new.ctypes.data
    if bring:
        new[i] = u[i]
    kept[:columns] = before
    for left in range(end - begin - 1, -1, -1):
        if bring and left:
            new[i + towards] = u[i + towards]
        if i == 0 or i == rows - 1:
            kept[:columns] = new[i]
        else:
            step_row_in_place(new[i], new[i + towards] if left else after, kept, towards, c, alpha)
        i += towards
