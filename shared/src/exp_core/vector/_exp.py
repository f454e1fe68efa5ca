"""The exponential and what is made of it: $x = k \\ln 2 + r$ with $|r| \\le \\frac12 \\ln 2$ gives $e^x = 2^k e^r$.

Source: W. J. Cody, W. Waite, Software Manual for the Elementary Functions (1980), chapters 6 and 13.
"""

from __future__ import annotations

import math

from exp_core.vector._parts import BIAS, elementwise, horner, like, pick, power, scale, select, shift, with_sign

LOG2_E = 1 / math.log(2)
# ln 2 = HIGH + LOW, where HIGH has so few bits that k HIGH is exact.
HIGH32, LOW32 = 355 / 512, -2.1219444005469057e-4
HIGH64, LOW64 = 0x162E42FEE * 2.0**-33, 1.9082149292705877e-10
# Where the result is 0 or infinite; beyond, the power of two would not fit.
LOWEST32, HIGHEST32 = -104.0, 89.0
LOWEST64, HIGHEST64 = -746.0, 710.0
TINY32, TINY64 = 2.0**-125, 2.0**-1021  # below, half of a number loses a bit
SHIFT32, SHIFT64 = shift(32), shift(64)
SCALE32, SCALE64 = shift(32, 2 * BIAS[32]), shift(64, 2 * BIAS[64])
POWER32, POWER64 = shift(32, BIAS[32]), shift(64, BIAS[64])

# (e^r - 1 - r) / r^2 on [-ln 2 / 2, ln 2 / 2], to 2^-29 and 2^-59: tests/shared/vector recomputes them.
EXP32 = (0.5, 0.1666666716337204, 0.04166646674275398, 0.00833328627049923, 0.0013933642767369747,
         0.00019907574460376054)  # fmt: skip
EXP64 = (0.5, 0.1666666666666667, 0.041666666666666685, 0.008333333333326141, 0.0013888888888874409,
         0.00019841269874802054, 2.4801587347313782e-05, 2.7557255424013177e-06, 2.7557252937495405e-07,
         2.5105207015306658e-08, 2.0921580854750184e-09)  # fmt: skip

# (tanh x - x) / x^3 as a function of x^2 on [0, 1], to 2^-29 and 2^-57.
TANH32 = (-0.3333333432674408, 0.13333313167095184, -0.05396382138133049, 0.021831976249814034, -0.008704744279384613,
         0.0032168738543987274, -0.0009307985310442746, 0.0001448719558538869)  # fmt: skip
TANH64 = (-0.3333333333333333, 0.13333333333333122, -0.053968253968070076, 0.02186948852982432, -0.008863235415261291,
         0.00359212677824487, -0.0014558252894521651, 0.0005899817688707702, -0.00023896429138131815,
         9.647797711408332e-05, -3.841259847661395e-05, 1.4630964937749389e-05, -5.006441873997967e-06,
         1.3884781935411767e-06, -2.660581317434255e-07, 2.5521228877497517e-08)  # fmt: skip


@elementwise
def exp(x: float) -> float:
    """$e^x$; 0 and infinity beyond the range, gradually through the subnormal numbers.

    Within 1.0 ULP in float32, 1.0 in float64.
    """
    x = select(x > pick(x, HIGHEST32, HIGHEST64), pick(x, HIGHEST32, HIGHEST64), x)  # not a number stays what it is
    x = select(x < pick(x, LOWEST32, LOWEST64), pick(x, LOWEST32, LOWEST64), x)
    t = x * like(x, LOG2_E) + pick(x, SCALE32, SCALE64)
    k = t - pick(x, SCALE32, SCALE64)
    r = (x - k * pick(x, HIGH32, HIGH64)) - k * pick(x, LOW32, LOW64)
    return scale(like(x, 1) + (r + r * r * horner(r, EXP32, EXP64)), t)


@elementwise
def expm1(x: float) -> float:
    """$e^x - 1$ without cancellation: $(2^k - 1) + 2^k (e^r - 1)$, the largest part of it exactly.

    Within 1.1 ULP in float32, 1.2 in float64.
    """
    y = select(x > pick(x, HIGHEST32, HIGHEST64), pick(x, HIGHEST32, HIGHEST64), x)
    y = select(y < pick(x, -18.0, -40.0), pick(x, -18.0, -40.0), y)  # -1 to the last bit
    t = y * like(x, LOG2_E) + pick(x, SHIFT32, SHIFT64)
    k = t - pick(x, SHIFT32, SHIFT64)
    high, low = y - k * pick(x, HIGH32, HIGH64), k * pick(x, LOW32, LOW64)
    r = high - low
    lost = (high - r) - low
    q = r * r * horner(r, EXP32, EXP64) + lost
    # Half of everything, so that 2^(k - 1) is in the range where e^x still is.
    s = power((k - like(x, 1)) + pick(x, POWER32, POWER64))
    a, b = s - like(x, 0.5), s * r  # both are exact
    sum_ = a + b
    result = sum_ + (((a - sum_) + b) + s * q)
    result = result + result
    return select(abs(x) < pick(x, TINY32, TINY64), x, result)  # -0.0 stays -0.0


@elementwise
def tanh(x: float) -> float:
    """The odd series up to |x| = 1, $1 - 2/(e^{2x} + 1)$ beyond; both are computed, and no branch is taken.

    Within 1.2 ULP in float32, 1.3 in float64.
    """
    a = abs(x)
    a = select(a > pick(x, 10.0, 20.0), pick(x, 10.0, 20.0), a)  # 1 to the last bit
    y, z = a + a, a * a
    t = y * like(x, LOG2_E) + pick(x, POWER32, POWER64)
    k = t - pick(x, POWER32, POWER64)
    r = (y - k * pick(x, HIGH32, HIGH64)) - k * pick(x, LOW32, LOW64)
    e = power(t) * (like(x, 1) + (r + r * r * horner(r, EXP32, EXP64)))
    small = a + a * z * horner(z, TANH32, TANH64)
    large = like(x, 1) - like(x, 2) / (e + like(x, 1))
    return with_sign(select(a < like(x, 1), small, large), x)


@elementwise
def sigmoid(x: float) -> float:
    """$1/(1 + e^{-x})$, accurate in both tails.

    Within 2.5 ULP in float32, 2.5 in float64.
    """
    e = exp(-abs(x))
    return select(x < like(x, 0), e, like(x, 1)) / (like(x, 1) + e)
