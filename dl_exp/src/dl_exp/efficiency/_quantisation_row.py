"""A row of packed weights times rows of x, in LLVM's own instructions: codes become weights in the vector registers.

A vector of words holds 32 / bits vectors of codes, one a place.  A code becomes a float in two operations: with its
bits where they lie, an OR with the exponent that gives the lowest of them the value 1 makes $2^e + q$, and subtracting
$2^e$ leaves q, both exact.  Rejected: shift, mask and conversion, which are three.  One more makes it a weight,
$s q + \\beta$, and one for each row of x multiplies and adds.
"""

from __future__ import annotations

from dl_exp.efficiency._quantisation_vectors import ALIGN, Vectors
from exp_core.compiled import intrinsic
from exp_core.vector.registers import registers

TOGETHER = 4  # rows of x that share the making of a weight
MANTISSA = 23  # bits of a float32 behind its point
BIAS = 127  # of its exponent
CHAINS = 8  # sums side by side: each multiply-add waits four cycles for the last one, and two begin in each


def lane_count() -> int:
    """float32 numbers, or words, in a vector."""
    return registers().lanes(4)


@intrinsic
def lanes(typing):
    """The same, for compiled code."""
    from numba import types

    def emit(context, builder, signature, arguments):
        return context.get_constant(types.intp, lane_count())

    return types.intp(), emit


@intrinsic
def four_bits(typing, words, w, count, scales, biases, g, shift, x, stride, y, at, step):
    """y[at] = sum of x times the count words from w on, each of 8 codes; $2^{shift}$ words have one scale, from g on.

    x: in the order of the codes' vectors, ``ordered``'s.  All arrays are flat and contiguous.
    """
    return _product(4, 1, words, w, count, scales, biases, g, shift, x, stride, y, at, step)


@intrinsic
def four_bits_together(typing, words, w, count, scales, biases, g, shift, x, stride, y, at, step):
    """The same for TOGETHER rows of x, ``stride`` numbers apart, and of y, ``step`` numbers apart."""
    return _product(4, TOGETHER, words, w, count, scales, biases, g, shift, x, stride, y, at, step)


@intrinsic
def eight_bits(typing, words, w, count, scales, biases, g, shift, x, stride, y, at, step):
    """One row of x; words of 4 codes."""
    return _product(8, 1, words, w, count, scales, biases, g, shift, x, stride, y, at, step)


@intrinsic
def eight_bits_together(typing, words, w, count, scales, biases, g, shift, x, stride, y, at, step):
    """TOGETHER rows of x."""
    return _product(8, TOGETHER, words, w, count, scales, biases, g, shift, x, stride, y, at, step)


def _product(bits, rows, *types):
    from numba import types as numba_types

    def emit(context, builder, signature, arguments):
        arrays = [
            context.make_array(kind)(context, builder, value).data if isinstance(kind, numba_types.Array) else value
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        _Row(builder, bits, rows, *arrays).emit()
        return context.get_dummy_value()

    return numba_types.void(*types), emit


class _Row(Vectors):
    """The instructions for one row of weights and some rows of x."""

    def __init__(self, builder, bits, rows, words, w, count, scales, biases, g, shift, x, stride, y, at, step):
        super().__init__(builder, lane_count(), w.type)
        self.bits, self.rows, self.places = bits, rows, 32 // bits
        self.words, self.scales, self.biases = (
            builder.gep(array, [first]) for array, first in ((words, w), (scales, g), (biases, g))
        )
        self.count, self.shift = count, shift
        self.x = [builder.gep(x, [builder.mul(stride, self.size(r))]) for r in range(rows)]
        self.y = [builder.gep(y, [builder.add(at, builder.mul(step, self.size(r)))]) for r in range(rows)]
        self.chains = min(CHAINS // rows, self.places)

    def emit(self):
        """Whole vectors of words in a loop, then what is left of a row, filled up with zeros; then the sums."""
        builder, before = self.builder, self.builder.block
        whole, left = (cut(self.count, self.size(self.lanes)) for cut in (builder.udiv, builder.urem))
        loop, body, after, tail, end = map(builder.append_basic_block, ("loop", "body", "after", "tail", "end"))
        builder.branch(loop)

        builder.position_at_end(loop)
        v = builder.phi(self.size, "v")
        sums = [builder.phi(self.floats) for _ in range(self.rows * self.chains)]
        builder.cbranch(builder.icmp_unsigned("<", v, whole), body, after)

        builder.position_at_end(body)
        new = [builder.add(v, self.size(1)), *self.vector_of_words(v, sums)]
        for phi, start, then in zip([v, *sums], [self.size(0), *len(sums) * [self.floats(None)]], new, strict=True):
            phi.add_incoming(start, before)
            phi.add_incoming(then, builder.block)
        builder.branch(loop)

        builder.position_at_end(after)
        builder.cbranch(builder.icmp_unsigned(">", left, self.size(0)), tail, end)

        builder.position_at_end(tail)
        new = self.vector_of_words(v, sums, left)
        tail = builder.block
        builder.branch(end)

        builder.position_at_end(end)
        totals = [builder.phi(self.floats) for _ in sums]
        for total, without, with_tail in zip(totals, sums, new, strict=True):
            total.add_incoming(without, after)
            total.add_incoming(with_tail, tail)
        for r in range(self.rows):
            builder.store(self.added(totals[r * self.chains : (r + 1) * self.chains]), self.y[r]).align = ALIGN

    def vector_of_words(self, v, sums, left=None):
        """The sums after one more vector of words; left: so many of its words are there."""
        builder, sums = self.builder, list(sums)
        words = self.load(self.words, builder.mul(v, self.size(self.lanes)), self.integers, left)
        scale, bias = self.scale_and_bias(v, left)
        start = builder.mul(v, self.size(self.places * self.lanes))
        for place in range(self.places):
            weight = self.call("llvm.fmuladd", [self.code(words, place), scale, bias])
            for r in range(self.rows):
                at = builder.add(start, self.size(place * self.lanes))
                chain = r * self.chains + place % self.chains
                sums[chain] = self.call("llvm.fmuladd", [self.load(self.x[r], at, self.floats), weight, sums[chain]])
        return sums

    def code(self, words, place):
        """The codes at one place of every word, as floats."""
        builder, low = self.builder, MANTISSA // self.bits  # so many places lie within a mantissa
        if place >= low:
            words, place = builder.lshr(words, self.every(low * self.bits)), place - low
        lowest = place * self.bits
        bits = builder.and_(words, self.every((1 << self.bits) - 1 << lowest))
        bits = builder.or_(bits, self.every(BIAS + MANTISSA - lowest << MANTISSA))
        return builder.fsub(builder.bitcast(bits, self.floats), self.floats([2.0 ** (MANTISSA - lowest)] * self.lanes))

    def scale_and_bias(self, v, left):
        """Of each lane: one for all where a group fills a vector of words, or else some, each for its own lanes."""
        builder, ir = self.builder, self.ir
        shifts = [shift for shift in (2, 3) if self.lanes >> shift > 1]
        one, join = builder.append_basic_block("one"), builder.append_basic_block("scaled")
        several = {shift: builder.append_basic_block(f"groups_of_{1 << shift}") for shift in shifts}
        switch = builder.switch(self.shift, one)
        found = []

        builder.position_at_end(one)
        at = builder.lshr(builder.mul(v, self.size(self.lanes)), self.shift)
        found.append(
            (builder.block, [self.spread(builder.load(builder.gep(a, [at]))) for a in (self.scales, self.biases)])
        )
        builder.branch(join)
        for shift, block in several.items():
            switch.add_case(self.shift.type(shift), block)
            builder.position_at_end(block)
            groups = self.lanes >> shift
            kind, at = ir.VectorType(ir.FloatType(), groups), builder.mul(v, self.size(groups))
            there = None if left is None else builder.lshr(left, self.shift)
            owner = ir.Constant(self.integers, [lane >> shift for lane in range(self.lanes)])
            loaded = (self.load(a, at, kind, there) for a in (self.scales, self.biases))
            found.append((block, [builder.shuffle_vector(each, each, owner) for each in loaded]))
            builder.branch(join)

        builder.position_at_end(join)
        both = []
        for which in range(2):
            phi = builder.phi(self.floats)
            for block, values in found:
                phi.add_incoming(values[which], block)
            both.append(phi)
        return both
