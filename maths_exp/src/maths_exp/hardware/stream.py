"""Stream: what memory delivers is what a program can have, and caches only help who comes back.

Problem   Vectors b and c of n numbers and a number s; write into a vector a, which is there already, one of
          copy $a = b$, scale $a = s b$, add $a = b + c$, triad $a = b + s c$.
Idea      One or two operations for 16 or 24 bytes: no processor waits for the arithmetic.  A vector that is written
          costs twice, since its cache lines are read before they are written to.  Two passes over a vector, as array
          expressions make them, cost twice again, unless they are made block by block while the block is in a cache.
          Stores past the caches write whole lines, and read none.
Look for  The rate column, and how it falls where a, b and c together no longer fit into a cache:
          `--sweep n=1e3:1e7:x4`.  `past_caches_threads` gains from main memory what was read in vain; where the
          vectors stay in a cache it depends on the processor what becomes of it: see --plot.
          On `strided` each number brings a line of 64 bytes with it: its cost counts what memory moves.
Source    J. D. McCalpin, Memory bandwidth and machine balance in current high performance computers, IEEE TCCA
          Newsletter (1995): the four kernels, and how their bytes are counted.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from exp_core import Cost, Experiment, Implementation, Problem, Skip
from exp_core.compiled import njit, prange
from exp_core.machine import streams
from exp_core.machine.streams import stream, stream_past_caches
from maths_exp.hardware._stream_picture import picture

BLOCK = 16384  # numbers: three blocks of doubles are 384 KiB, and stay in a second-level cache
PARTS = 64  # of the vectors, dealt to the threads
FORMULAS = (
    lambda b, c, s: b,
    lambda b, c, s: s * b,
    lambda b, c, s: b + c,
    lambda b, c, s: b + s * c,
)  # in the order of exp_core.machine.streams


def loop(operation, a, b, c, s):
    """Number after number, in plain Python."""
    formula = FORMULAS[operation]
    for i in range(a.size):
        a[i] = formula(b[i], c[i], s)
    return a


def array_expression(operation, a, b, c, s):
    """As it is written: each operator makes a vector of its own, and memory hands out fresh pages for it."""
    a[:] = FORMULAS[operation](b, c, s)
    return a


def numpy_blocks(operation, a, b, c, s):
    """Pass after pass, but block by block: the second pass finds the block in a cache."""
    for i in range(0, a.size, BLOCK):
        numpy_out(operation, a[i : i + BLOCK], b[i : i + BLOCK], c[i : i + BLOCK], s)
    return a


@njit
def one_pass(operation, a, b, c, s):
    """Compiled: one pass for all operators, in vectors."""
    stream(operation, a, b, c, s)
    return a


@njit(parallel=True)
def one_pass_threads(operation, a, b, c, s):
    """The same on all cores: each has caches of its own, and they share the memory."""
    size = (a.size + PARTS - 1) // PARTS
    for part in prange(PARTS):
        i, j = part * size, min(part * size + size, a.size)
        if i < j:
            stream(operation, a[i:j], b[i:j], c[i:j], s)
    return a


@njit(parallel=True)
def past_caches_threads(operation, a, b, c, s):
    """With stores past the caches: the lines of a are not read before they are written, and push nothing out."""
    size = (a.size + PARTS - 1) // PARTS
    for part in prange(PARTS):
        i, j = part * size, min(part * size + size, a.size)
        if i < j:
            stream_past_caches(operation, a[i:j], b[i:j], c[i:j], s)
    return a


def numpy_out(operation, a, b, c, s):
    """NumPy's functions with `out=`: no vector but a is made; triad takes two passes."""
    if operation == streams.COPY:
        np.copyto(a, b)
    elif operation == streams.SCALE:
        np.multiply(b, s, out=a)
    elif operation == streams.ADD:
        np.add(b, c, out=a)
    else:
        np.multiply(c, s, out=a)
        np.add(b, a, out=a)
    return a


def triad(n: Annotated[int, "numbers in a vector"] = 4_000_000, *, dtype, rng):
    """a = b + s c, the kernel by which STREAM's results are known."""
    return vectors(streams.TRIAD, n, 1, dtype, rng)


def copy(n: Annotated[int, "numbers in a vector"] = 4_000_000, *, dtype, rng):
    """a = b."""
    return vectors(streams.COPY, n, 1, dtype, rng)


def scale(n: Annotated[int, "numbers in a vector"] = 4_000_000, *, dtype, rng):
    """a = s b."""
    return vectors(streams.SCALE, n, 1, dtype, rng)


def add(n: Annotated[int, "numbers in a vector"] = 4_000_000, *, dtype, rng):
    """a = b + c."""
    return vectors(streams.ADD, n, 1, dtype, rng)


def strided(
    n: Annotated[int, "numbers in a vector"] = 500_000,
    stride: Annotated[int, "from one to the next, in numbers"] = 16,
    *,
    dtype,
    rng,
):
    """Triad on every stride-th number of longer vectors: a cache line comes for each, whatever is used of it."""
    return vectors(streams.TRIAD, n, stride, dtype, rng)


def vectors(operation, n, stride, dtype, rng):
    """Small whole numbers, so that b + 3 c is exact in any order, fused or not."""
    b, c = (rng.integers(0, 1000, n * stride).astype(dtype)[::stride] for _ in range(2))
    return operation, b, c, b.dtype.type(3)


def with_room(operation, b, c, s):
    """The arguments, and a vector to write into, laid out as b is, whose pages are there."""
    stride = b.strides[0] // b.itemsize
    return operation, np.ones(b.size * stride, b.dtype)[::stride], b, c, s


def misplaced(a, operation, b, c, s):
    """How many numbers are not exactly what STREAM defines."""
    if np.shape(a) != b.shape or a.dtype != b.dtype:
        return float(b.size)
    return float(np.count_nonzero(~(a == FORMULAS[operation](b, c, s))))


def exactly(operation, b, c, s):
    """Not one may be wrong."""
    return 0.0


def cost(passes=(2, 2, 3, 3), written=(1, 1, 1, 1)):
    """So many vectors pass by for each of the four; of a number that lies alone in its cache line, the whole line."""

    def at(operation, b, c, s):
        moved = min(max(b.strides[0], b.itemsize), streams.LINE)
        flops = float(streams.FLOPS[operation] * b.size)
        vector, room = float(moved * b.size), 3.0 * b.strides[0] * b.size
        return Cost(flops, passes[operation] * vector, memory=room, written=written[operation] * vector)

    return at


def needs_whole_lines(operation, b, c, s):
    """Stores past the caches are for whole lines."""
    return None if b.strides[0] == b.itemsize else Skip("stores past the caches write whole lines", "--stride 1")


SMALL, AWKWARD = {"n": 1000}, ({"n": 1}, {"n": 61}, {"n": 2 * BLOCK + 1})

EXPERIMENT = Experiment(
    problems=(
        Problem(triad, small=SMALL, awkward=AWKWARD),
        Problem(copy, small=SMALL),
        Problem(scale, small=SMALL),
        Problem(add, small=SMALL, awkward=({"n": 67},)),
        Problem(strided, kind="hard", small={"n": 100, "stride": 9}, awkward=({"n": 61, "stride": 1},)),
    ),
    laws={"wrong numbers": misplaced},
    implementations=(
        Implementation(loop, "textbook", cost=cost(), bound=exactly, prepare=with_room),
        Implementation(
            array_expression, "vectorised", cost=cost((2, 4, 5, 7), (1, 2, 2, 3)), bound=exactly, prepare=with_room
        ),
        Implementation(numpy_blocks, "vectorised", cost=cost(), bound=exactly, prepare=with_room),
        Implementation(one_pass, "compiled", cost=cost(), bound=exactly, prepare=with_room),
        Implementation(one_pass_threads, "compiled", cost=cost(), bound=exactly, prepare=with_room),
        Implementation(
            past_caches_threads, "compiled", cost=cost(), bound=exactly, prepare=with_room, skip=needs_whole_lines
        ),
        Implementation(numpy_out, "library", cost=cost((2, 2, 3, 5), (1, 1, 1, 2)), bound=exactly, prepare=with_room),
    ),
    picture=picture,
)
