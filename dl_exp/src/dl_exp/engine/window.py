"""Convolutions of a few images at once, one in each lane of a vector, in LLVM's own instructions.

An image's neighbouring pixels are no natural vector (a row of 10 fills none of 16 lanes), but the same pixel of 16
images is: memory is (channel, row, column, image).  A window then is a list of distances from its first pixel, the same
list everywhere: nothing is unfolded or left over at an edge.  Sums live in registers while the list is read.
Source: A. Lavin, maxDNN: An Efficient Convolution Kernel for Deep Learning, arXiv:1501.06633 (2015), section 3: this
order of memory and the list of distances.
"""

from __future__ import annotations

from exp_core.compiled import intrinsic, njit
from exp_core.vector.registers import registers

WINDOW = 5  # columns of the window whose weights' derivatives are summed at once


def across() -> int:
    """Pixels side by side whose sums are kept at once; together with 4 channels they fit into the registers."""
    return 4 if registers().count >= 32 else 2


def channels_at_once() -> int:
    """Channels that, with all columns of a window, fit into the registers."""
    return 4 if registers().count >= 32 else 2


@njit
def correlate(W, x, at, distances, first, last, y, column, width):
    """y[o, column ...] = sum over k in [first, last) of W[k, o] x[at + distances[k] ...], for every o.

    W: (window, channels out); x: flat; y: (channels out, n); the run has ``width`` pixels: ``across()`` or half of it.
    Nobody checks that the distances stay inside x.
    """
    o, channels = 0, W.shape[1]
    while o + 4 <= channels:
        if width == widest(x):
            _four_wide(W, o, x, at, distances, first, last, y, column)
        else:
            _four(W, o, x, at, distances, first, last, y, column)
        o += 4
    while o + 2 <= channels:
        if width == widest(x):
            _two_wide(W, o, x, at, distances, first, last, y, column)
        else:
            _two(W, o, x, at, distances, first, last, y, column)
        o += 2
    if o < channels:
        if width == widest(x):
            _one_wide(W, o, x, at, distances, first, last, y, column)
        else:
            _one(W, o, x, at, distances, first, last, y, column)


@njit
def correlate_back(d, d_distances, x, at, x_distances, gW, row, step):
    """gW[row + j step, o] += sum over places p and lanes of d[o, d_distances[p] ...] x[at + x_distances[p] + j ...].

    j is the column in the window, 0 to 4; d: (channels out, n); x: flat; gW: (window, channels out).
    """
    o, channels, most = 0, gW.shape[1], together(x)
    while o + most <= channels:
        _many_back(d, o, d_distances, x, at, x_distances, gW, row, step)
        o += most
    while o + 2 <= channels:
        _two_back(d, o, d_distances, x, at, x_distances, gW, row, step)
        o += 2
    if o < channels:
        _one_back(d, o, d_distances, x, at, x_distances, gW, row, step)
        o += 1


@intrinsic
def widest(typing, x):
    """across(), as a constant of compiled code."""
    return _constant(across(), x)


@intrinsic
def together(typing, x):
    """channels_at_once(), as a constant of compiled code."""
    return _constant(channels_at_once(), x)


@intrinsic
def _four_wide(typing, W, o, x, at, distances, first, last, y, column):
    return _forwards(4, across(), W, x, distances, y)


@intrinsic
def _four(typing, W, o, x, at, distances, first, last, y, column):
    return _forwards(4, across() // 2, W, x, distances, y)


@intrinsic
def _two_wide(typing, W, o, x, at, distances, first, last, y, column):
    return _forwards(2, across(), W, x, distances, y)


@intrinsic
def _two(typing, W, o, x, at, distances, first, last, y, column):
    return _forwards(2, across() // 2, W, x, distances, y)


@intrinsic
def _one_wide(typing, W, o, x, at, distances, first, last, y, column):
    return _forwards(1, across(), W, x, distances, y)


@intrinsic
def _one(typing, W, o, x, at, distances, first, last, y, column):
    return _forwards(1, across() // 2, W, x, distances, y)


@intrinsic
def _many_back(typing, d, o, d_distances, x, at, x_distances, gW, row, step):
    return _backwards(channels_at_once(), d, d_distances, x, x_distances, gW)


@intrinsic
def _two_back(typing, d, o, d_distances, x, at, x_distances, gW, row, step):
    return _backwards(2, d, d_distances, x, x_distances, gW)


@intrinsic
def _one_back(typing, d, o, d_distances, x, at, x_distances, gW, row, step):
    return _backwards(1, d, d_distances, x, x_distances, gW)


def _constant(number, x):
    from numba import types

    return types.intp(x), lambda context, builder, signature, arguments: context.get_constant(types.intp, number)


def _forwards(rows, vectors, W, x, distances, y):
    """(W, o, x, at, distances, first, last, y, column) -> None: ``rows`` channels, ``vectors`` pixels."""
    from numba import types

    def emit(context, builder, signature, arguments):
        _, o, _, at, _, first, last, _, column = arguments
        W, x, distances, y = (_Memory(context, builder, signature, arguments, i) for i in (0, 2, 4, 7))
        count = builder.sub(last, first)
        given = [W.at(first, o), W.step, x.at(at), distances.at(first), count, y.at(o, column), y.step]

        def body(inner, w, w_step, x, distances, count, y, y_step):
            lanes = _Lanes(inner, W.element)

            def multiply_add(p, sums):
                here = lanes.shifted(x, inner.load(lanes.shifted(distances, p)))
                pixels = [lanes.load(here, v * lanes.count) for v in range(vectors)]
                weights = lanes.shifted(w, inner.mul(p, w_step))
                each = [lanes.spread(inner.load(lanes.shifted(weights, p.type(r)))) for r in range(rows)]
                return [lanes.multiply_add(each[r], pixels[v], sums[r * vectors + v])
                        for r in range(rows) for v in range(vectors)]  # fmt: skip

            sums = _loop(inner, count, rows * vectors, lanes.zero, multiply_add)
            for r in range(rows):
                row = lanes.shifted(y, inner.mul(y_step, y_step.type(r)))
                for v in range(vectors):
                    lanes.store(sums[r * vectors + v], row, v * lanes.count)

        _call_apart(builder, f"window_{rows}_{vectors}_{signature.args[2].dtype}", given, body)
        return context.get_dummy_value()

    integer = types.intp
    return types.void(W, integer, x, integer, distances, integer, integer, y, integer), emit


def _backwards(rows, d, d_distances, x, x_distances, gW):
    """(d, o, d_distances, x, at, x_distances, gW, row, step) -> None: ``rows`` channels, every column of a window."""
    from llvmlite import ir
    from numba import types

    def emit(context, builder, signature, arguments):
        _, o, _, _, at, _, _, row, step = arguments
        d, d_distances, x, x_distances, gW = (
            _Memory(context, builder, signature, arguments, i) for i in (0, 2, 3, 5, 6)
        )
        zero = row.type(0)
        given = [d.at(o, zero), d.step, d_distances.at(zero), x.at(at), x_distances.at(zero), d_distances.size,
                 gW.at(row, o), builder.mul(step, gW.step)]  # fmt: skip

        def body(inner, d, d_step, d_distances, x, x_distances, count, g, g_step):
            lanes = _Lanes(inner, gW.element)

            def multiply_add(p, sums):
                here = lanes.shifted(x, inner.load(lanes.shifted(x_distances, p)))
                pixels = [lanes.load(here, j * lanes.count) for j in range(WINDOW)]
                there = lanes.shifted(d, inner.load(lanes.shifted(d_distances, p)))
                new = []
                for r in range(rows):
                    slope = lanes.load(lanes.shifted(there, inner.mul(d_step, d_step.type(r))), 0)
                    new += [lanes.multiply_add(slope, pixels[j], sums[r * WINDOW + j]) for j in range(WINDOW)]
                return new

            sums = _loop(inner, count, rows * WINDOW, lanes.zero, multiply_add)
            for j in range(WINDOW):
                place = lanes.shifted(g, inner.mul(g_step, g_step.type(j)))
                for r in range(rows):
                    address = lanes.shifted(place, ir.IntType(64)(r))
                    inner.store(inner.fadd(inner.load(address), lanes.total(sums[r * WINDOW + j])), address)

        _call_apart(builder, f"window_back_{rows}_{signature.args[3].dtype}", given, body)
        return context.get_dummy_value()

    integer = types.intp
    return types.void(d, integer, d_distances, x, integer, x_distances, gW, integer, integer), emit


class _Memory:
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


class _Lanes:
    """What is done with a vector of elements."""

    def __init__(self, builder, element):
        from llvmlite import ir

        self.builder, self.element = builder, element
        self.itemsize = {"float": 4, "double": 8}[str(element)]
        self.count = registers().lanes(self.itemsize)
        self.vector = ir.VectorType(element, self.count)
        self.zero = self.vector(None)
        self.name = f"v{self.count}f{8 * self.itemsize}"

    def shifted(self, address, elements):
        """The address so many elements further."""
        return self.builder.gep(address, [elements])

    def _at(self, address, elements):
        from llvmlite import ir

        return self.builder.bitcast(self.shifted(address, ir.IntType(64)(elements)), self.vector.as_pointer())

    def load(self, address, elements):
        """The vector that begins there; arrays are aligned to their elements."""
        loaded = self.builder.load(self._at(address, elements), typ=self.vector)
        loaded.align = self.itemsize
        return loaded

    def store(self, value, address, elements):
        """Its counterpart."""
        self.builder.store(value, self._at(address, elements)).align = self.itemsize

    def spread(self, value):
        """A number in every lane."""
        from llvmlite import ir

        nothing, index = self.vector(ir.Undefined), ir.IntType(32)
        one = self.builder.insert_element(nothing, value, index(0))
        return self.builder.shuffle_vector(one, nothing, ir.VectorType(index, self.count)(None))

    def multiply_add(self, x, y, z):
        """x y + z, fused where the processor can."""
        return self.builder.call(self._function(f"llvm.fmuladd.{self.name}", self.vector, [self.vector] * 3), [x, y, z])

    def total(self, x):
        """The sum of all lanes, in any order."""
        function = self._function(f"llvm.vector.reduce.fadd.{self.name}", self.element, [self.element, self.vector])
        return self.builder.call(function, [self.element(0), x], fastmath=("reassoc",))

    def _function(self, name, result, arguments):
        from llvmlite import ir

        module = self.builder.module
        return module.globals.get(name) or ir.Function(module, ir.FunctionType(result, arguments), name)


def _loop(builder, count, width, zero, body):
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


def _call_apart(builder, name, given, body):
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
