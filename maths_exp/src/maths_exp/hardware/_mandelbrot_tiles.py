"""The iteration for a tile of points at once, with no question asked at a step: the vector units stay full.

A point outside of the circle of radius 2 never comes back: $|z| > \\max(2, |c|)$ gives $|z^2 + c| > |z|$.  So a whole
tile may take eight steps before anybody looks.  If nobody has left meanwhile, which is nearly always so, that is all
there was to know; if somebody has, the eight steps are taken again from where they began, and counted.  Who is out goes
on to infinity with the others: infinity minus infinity is not a number, and that is not inside either.

The eight steps are written in LLVM's instructions, for a few of the widest vectors at a time: left alone, LLVM takes
vectors of half that width on many processors with AVX-512, and finishes one before it begins the next.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import FUSE, intrinsic, njit, prange
from exp_core.tasks import WORKERS, take
from exp_core.vector.registers import Matrix, registers

WIDTH, HEIGHT = 16, 4  # of a tile: its points are neighbours in both directions, and leave at about the same time
LANES = WIDTH * HEIGHT  # enough independent chains to hide the latency of a multiply-add, on any processor
STEPS = 8  # between two looks


def in_flight():
    """Vectors of points whose steps are taken together: their c, z and what comes between share the registers."""
    return registers().count // 8


def emit_steps(context, builder, array_type, orbits, start):
    """The instructions of STEPS steps from z in rows start and start + 1 of orbits; rows 0 and 1 are c.

    Yields for each of the vectors in flight its number, z = x, y, and at each step before it who was inside.
    """
    rows = Matrix(context, builder, array_type, orbits)
    four = rows.spread(rows.element(4.0))

    def inside(x, y):
        return builder.fcmp_ordered("<=", rows.multiply_add(x, x, builder.fmul(y, y)), four)

    vectors = range(LANES // rows.vector.count)
    for first in vectors[:: in_flight()]:
        together = vectors[first : first + in_flight()]
        a, b = ([rows.load(r, v) for v in together] for r in (0, 1))
        x, y = ([rows.load(r, v) for v in together] for r in (start, builder.add(start, start.type(1))))
        were = [[] for _ in together]
        for _ in range(STEPS):
            for i in range(len(together)):
                were[i].append((x[i], y[i]))
                difference, total = builder.fsub(x[i], y[i]), builder.fadd(x[i], y[i])
                double = builder.fadd(x[i], x[i])
                x[i], y[i] = rows.multiply_add(difference, total, a[i]), rows.multiply_add(double, y[i], b[i])
        for i, v in enumerate(together):
            yield rows, v, x[i], y[i], inside, were[i]


@intrinsic
def eight_steps(typing, orbits, start, end):
    """STEPS steps from z in rows start and start + 1 of orbits to rows end and end + 1; how many are inside then."""
    from llvmlite import ir
    from numba import types

    def emit(context, builder, signature, arguments):
        array, start, end = arguments
        count = ir.IntType(64)(0)
        for rows, v, x, y, inside, _ in emit_steps(context, builder, signature.args[0], array, start):
            rows.store(x, end, v)
            rows.store(y, builder.add(end, end.type(1)), v)
            bits = builder.bitcast(inside(x, y), ir.IntType(rows.vector.count))
            count = builder.add(count, builder.zext(builder.ctpop(bits), count.type))
        return count

    return types.int64(orbits, start, end), emit


@intrinsic
def count_steps(typing, orbits, start, done, n):
    """The same steps again: n, shape (1, LANES), becomes done and the steps at which a point was inside, if any."""
    from llvmlite import ir
    from numba import types

    def emit(context, builder, signature, arguments):
        array, start, done, _ = arguments
        counts = Matrix(context, builder, signature.args[3], arguments[3])
        for rows, v, _, _, inside, were in emit_steps(context, builder, signature.args[0], array, start):
            numbers = ir.VectorType(counts.element, rows.vector.count)
            k = numbers(None)
            for x, y in were:
                k = builder.add(k, builder.zext(inside(x, y), numbers))
            address = builder.bitcast(counts.at(0, v * rows.vector.count), numbers.as_pointer())
            before = builder.load(address, align=counts.itemsize)
            now = builder.add(rows.spread(builder.trunc(done, counts.element), numbers), k)
            some = builder.icmp_signed(">", k, numbers(None))
            builder.store(builder.select(some, now, before), address, align=counts.itemsize)
        return context.get_dummy_value()

    return types.void(orbits, start, done, n), emit


@njit(fastmath=FUSE)
def iterate(orbits, iterations, n):
    """Counts n, shape (1, LANES), of the points whose c is in rows 0 and 1 of orbits, (6, LANES); the others are z."""
    four = orbits.dtype.type(4)
    orbits[2:4] = 0
    n[:] = 0
    done, inside, start, end = 0, LANES, 2, 4
    while done < iterations and inside > 0:
        still = eight_steps(orbits, start, end)
        if still < inside:
            inside = still
            count_steps(orbits, start, done, n)
        start, end = end, start
        done += STEPS
    for lane in range(LANES):
        s, t = orbits[start, lane], orbits[start + 1, lane]
        n[0, lane] = iterations if s * s + t * t <= four else min(n[0, lane], iterations)


@njit
def strip(a, b, iterations, counts, row):
    """Fill HEIGHT rows of counts; tiles at the edges are filled up with the last point."""
    orbits, n = np.empty((6, LANES), a.dtype), np.empty((1, LANES), np.int32)
    for column in range(0, a.size, WIDTH):
        for i in range(HEIGHT):
            for j in range(WIDTH):
                orbits[0, i * WIDTH + j] = a[min(column + j, a.size - 1)]
                orbits[1, i * WIDTH + j] = b[min(row + i, b.size - 1)]
        iterate(orbits, iterations, n)
        for i in range(min(HEIGHT, b.size - row)):
            for j in range(min(WIDTH, a.size - column)):
                counts[row + i, column + j] = n[0, i * WIDTH + j]


@njit
def tiles(a, b, iterations):
    """A tile of 64 points at once, eight steps between two looks: the branch that stalled the loop is gone."""
    counts = np.empty((b.size, a.size), np.int32)
    for row in range(0, b.size, HEIGHT):
        strip(a, b, iterations, counts, row)
    return counts


@njit(parallel=True)
def tiles_threads(a, b, iterations):
    """The same on all cores: whoever has finished a strip takes the next, since those through the set take longest."""
    counts = np.empty((b.size, a.size), np.int32)
    next_strip = np.zeros(1, np.int64)
    for _ in prange(WORKERS):
        row = take(next_strip) * HEIGHT
        while row < b.size:
            strip(a, b, iterations, counts, row)
            row = take(next_strip) * HEIGHT
    return counts
