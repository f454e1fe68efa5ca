"""What Python cannot say of a floating-point number: its bits, its power of two, and that no branch is wanted.

Each is a few instructions that LLVM knows as operations on vectors too.  They take float32 or float64 and stay in that
type: the same formula serves both, with constants of its own.  Numba itself would widen: a float32 times 0.5 is a
float64 there, and the sum of two int32 an int64, and then half the lanes are lost.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from exp_core.compiled import FUSE, intrinsic, njit

F = TypeVar("F", bound=Callable[..., float])

# Compiled into whatever calls it, with its own rules of rounding: a caller's fastmath does not reach in here.
elementwise = cast("Callable[[F], F]", njit(fastmath=FUSE, forceinline=True))

MANTISSA = {32: 23, 64: 52}  # bits of the fraction
BIAS = {32: 127, 64: 1023}  # of the exponent


def shift(bits: int, offset: float = 0.0) -> float:
    """Added to x it rounds x to a whole number k and leaves k + offset in the last bits; taken off again, k is left.

    Source: W. Kahan's "magic number"; $1.5 \\cdot 2^p$ with p the bits of the fraction, for either sign of k.
    """
    return 1.5 * 2.0 ** MANTISSA[bits] + offset


def _pick(typing, x, single, double):
    from numba.core import types

    def generate(context, builder, signature, arguments):
        narrow = x == types.float32
        return context.cast(builder, arguments[1 if narrow else 2], single if narrow else double, x)

    return x(x, single, double), generate


def _horner(typing, x, single, double):
    from numba.core import types

    def generate(context, builder, signature, arguments):
        narrow = x == types.float32
        table, count = arguments[1 if narrow else 2], len(single if narrow else double)
        c = [context.cast(builder, builder.extract_value(table, i), types.float64, x) for i in range(count)]
        total = c[-1]
        for coefficient in reversed(c[:-1]):
            product = builder.fmul(total, arguments[0], flags=("contract",))
            total = builder.fadd(product, coefficient, flags=("contract",))
        return total

    return x(x, single, double), generate


def _select(typing, condition, x, y):
    from numba.core import types

    def generate(context, builder, signature, arguments):
        return builder.select(*arguments)

    return x(types.boolean, x, x), generate


def _widen(typing, x):
    from numba.core import types

    def generate(context, builder, signature, arguments):
        return context.cast(builder, arguments[0], x, types.float64)

    return types.float64(x), generate


def _like(typing, x, y):
    def generate(context, builder, signature, arguments):
        return context.cast(builder, arguments[1], y, x)

    return x(x, y), generate


def _is_single(typing, x):
    from numba.core import types

    def generate(context, builder, signature, arguments):
        return context.get_constant(types.boolean, x == types.float32)

    return types.boolean(x), generate


def _as_bits(builder, value):
    """The number as an integer of the same width, and constants of that type."""
    from llvmlite import ir

    width = 32 if isinstance(value.type, ir.FloatType) else 64
    integer = ir.IntType(width)
    return builder.bitcast(value, integer), integer, width


def _scale(typing, p, t):
    def generate(context, builder, signature, arguments):
        p, t = arguments
        n, integer, width = _as_bits(builder, t)
        place = integer(MANTISSA[width])
        half = builder.lshr(n, integer(1))
        for part in (half, builder.sub(n, half)):  # 2^k in two factors: each of them is in the range
            p = builder.fmul(p, builder.bitcast(builder.shl(part, place), p.type))
        return p

    return p(p, t), generate


def _power(typing, t):
    def generate(context, builder, signature, arguments):
        n, integer, width = _as_bits(builder, arguments[0])
        return builder.bitcast(builder.shl(n, integer(MANTISSA[width])), arguments[0].type)

    return t(t), generate


def _flip(typing, p, t):
    def generate(context, builder, signature, arguments):
        n, integer, width = _as_bits(builder, arguments[1])
        value, _, _ = _as_bits(builder, arguments[0])
        sign = builder.shl(n, integer(width - 1))
        return builder.bitcast(builder.xor(value, sign), arguments[0].type)

    return p(p, t), generate


def _with_sign(typing, x, y):
    from llvmlite import ir

    def generate(context, builder, signature, arguments):
        real = arguments[0].type
        copysign = builder.module.declare_intrinsic("llvm.copysign", [real], ir.FunctionType(real, [real, real]))
        return builder.call(copysign, arguments)

    return x(x, y), generate


def _split(typing, x):
    from numba.core import types

    def generate(context, builder, signature, arguments):
        n, integer, width = _as_bits(builder, arguments[0])
        real, place = arguments[0].type, MANTISSA[width]
        root = 0x3F3504F3 if width == 32 else 0x3FE6A09E667F3BCD  # the bits of sqrt(1/2)
        n = builder.add(n, integer((BIAS[width] << place) - root))
        exponent = builder.lshr(n, integer(place))
        # The exponent as a number without a conversion, which AVX2 lacks for 64 bits: as the last bits of 2^place.
        aligned = builder.bitcast(builder.or_(exponent, integer((BIAS[width] + place) << place)), real)
        k = builder.fsub(aligned, real(2.0**place + BIAS[width]))
        fraction = builder.add(builder.and_(n, integer((1 << place) - 1)), integer(root))
        return context.make_tuple(builder, signature.return_type, (builder.bitcast(fraction, real), k))

    return types.UniTuple(x, 2)(x), generate


Table = tuple[float, ...]

# The constant for x's type: single or double.
pick = cast("Callable[[float, float, float], float]", intrinsic(_pick))
# The polynomial with the coefficients for x's type, lowest first.
horner = cast("Callable[[float, Table, Table], float]", intrinsic(_horner))
# x where the condition holds, y where not; both are computed.
select = cast("Callable[[bool, float, float], float]", intrinsic(_select))
# x as a float64, and y in x's type.
widen = cast("Callable[[float], float]", intrinsic(_widen))
like = cast("Callable[[float, float], float]", intrinsic(_like))
# Known when compiled: the other branch disappears.
is_single = cast("Callable[[float], bool]", intrinsic(_is_single))
# p 2^k, gradually underflowing, where t = k + shift(bits, 2 BIAS).
scale = cast("Callable[[float, float], float]", intrinsic(_scale))
# 2^k in the normal range, where t = k + shift(bits, BIAS).
power = cast("Callable[[float], float]", intrinsic(_power))
# p, with the sign changed if k is odd: t = k + shift(bits).
flip = cast("Callable[[float, float], float]", intrinsic(_flip))
# |x| with the sign of y.
with_sign = cast("Callable[[float, float], float]", intrinsic(_with_sign))
# (m, k): x = m 2^k, m from sqrt(1/2) to sqrt(2), for normal positive x.
split = cast("Callable[[float], tuple[float, float]]", intrinsic(_split))
