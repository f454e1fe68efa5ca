"""One pass over three rows of a softmax, in LLVM's own instructions: vectors of scores, powers and probabilities.

While the exponentials of a row are computed, the maximum of the next one is looked for, and the result of the last one
is written: the processor fetches and stores meanwhile, where three loops would let it wait for memory in between.

Left to itself LLVM takes a maximum of floats one by one, since it must not lose a NaN.  Here it may: what is computed
from the row itself will be NaN.
"""

from __future__ import annotations

import math

from dl_exp.engine.lanes import Lanes, Memory
from exp_core.compiled import intrinsic
from exp_core.vector.coefficients import BIAS, LOG2_E, MANTISSA, shift

# (2^r - 1) / r on [-1/2, 1/2], to 2^-21: tests/dl_exp/kernels recomputes them.
POWER = (0.6931471824645996, 0.2402234822511673, 0.05550333112478256, 0.009666373021900654,
         0.0013400436146184802)  # fmt: skip
LOWEST = -126 * math.log(2)  # of the powers, the smallest normal number; what is below becomes 0
SHIFT = shift(32, BIAS[32])  # added to k it leaves k + BIAS in the last bits


@intrinsic
def three_rows(typing, x, m, powers, following, done, share, p):
    """$powers = e^{x - m}$ and p = share done, element by element; the sum of powers, and the largest of following.

    x, following, p: (n,) float32.     powers, done: the same, in memory that goes on to a whole number of vectors.
    """
    return _pass(x, m, powers, following, done, share, p, past_caches=False)


@intrinsic
def three_rows_past_caches(typing, x, m, powers, following, done, share, p):
    """The same with p written past the caches: it consists of whole cache lines."""
    return _pass(x, m, powers, following, done, share, p, past_caches=True)


def _pass(*types, past_caches):
    from numba.core.types import UniTuple

    def emit(context, builder, signature, arguments):
        x, powers, following, done, p = (Memory(context, builder, signature, arguments, i) for i in (0, 2, 3, 4, 6))
        lanes = Lanes(builder, x.element)
        m, share = lanes.spread(arguments[1]), lanes.spread(arguments[5])
        least = lanes.constant(-math.inf)

        def columns(j, total, largest, inside=None):
            """One vector of each row, from column j on."""
            e = falling_exp(lanes, builder.fsub(lanes.load(x.at(j), 0, inside, least), m))
            lanes.store(e, powers.at(j), 0)
            result = builder.fmul(share, lanes.load(done.at(j), 0))
            if past_caches:
                lanes.store_past_caches(result, p.at(j))
            else:
                lanes.store(result, p.at(j), 0, inside)
            ahead = lanes.load(following.at(j), 0, inside, least)
            larger = builder.select(builder.fcmp_ordered(">", ahead, largest), ahead, largest)
            return builder.fadd(total, e), larger

        before = builder.block
        look, loop, last = (builder.append_basic_block(name) for name in ("look", "loop", "last"))
        builder.branch(look)
        builder.position_at_end(look)
        j, total, largest = builder.phi(x.size.type), builder.phi(lanes.vector), builder.phi(lanes.vector)
        next_j = builder.add(j, j.type(lanes.count))
        builder.cbranch(builder.icmp_signed("<", next_j, x.size), loop, last)
        builder.position_at_end(loop)
        new = columns(j, total, largest)
        for phi, first, then in [(j, j.type(0), next_j), (total, lanes.zero, new[0]), (largest, least, new[1])]:
            phi.add_incoming(first, before)
            phi.add_incoming(then, loop)
        builder.branch(look)
        builder.position_at_end(last)
        inside = None if past_caches else lanes.first(builder.sub(x.size, j))
        total, largest = columns(j, total, largest, inside)
        return context.make_tuple(builder, signature.return_type, (lanes.total(total), lanes.largest(largest)))

    return UniTuple(types[0].dtype, 2)(*types), emit


def falling_exp(lanes, d):
    """$e^d$ of a vector of numbers that are at most 0: 1 of 0, and 0 of what is below LOWEST.

    $e^d = 2^k 2^r$, k the whole number next to $d \\log_2 e$.  r inherits what rounding takes from that product: 3u|d|;
    who takes it for a softmax has rounded d itself already, and errs by as much as that anyway.
    The rest is within 6u: POWER 3.5, the rounding of r 0.3, its evaluation 1.6, and 0.6 without fused multiply-add.
    """
    builder, bits = lanes.builder, lanes.bits
    log2_e, shift_ = lanes.constant(LOG2_E), lanes.constant(SHIFT)
    t = lanes.multiply_add(d, log2_e, shift_)
    r = lanes.multiply_add(d, log2_e, builder.fsub(shift_, t))
    power = lanes.constant(POWER[-1])
    for coefficient in (*reversed(POWER[:-1]), 1.0):
        power = lanes.multiply_add(power, r, lanes.constant(coefficient))
    exponent = builder.shl(builder.bitcast(t, bits), bits([bits.element(MANTISSA[32])] * lanes.count))
    power = builder.fmul(power, builder.bitcast(exponent, lanes.vector))
    return builder.select(builder.fcmp_ordered("<", d, lanes.constant(LOWEST)), lanes.zero, power)
