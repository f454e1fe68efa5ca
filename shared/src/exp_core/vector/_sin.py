"""Sine and cosine: $x = k\\pi + r$ with $|r| \\le \\pi/2$ gives $\\sin x = (-1)^k \\sin r$.

Next to a multiple of pi nearly all digits of x cancel, and what is left is as good as the digits of pi that were used:
pi comes in parts so short that k times a part is exact.  All is done in float64, for float32 with fewer parts.  The
parts suffice up to LIMIT; beyond, where neighbouring float32 are half a radian apart, the result is not a number.
To go on from there takes as many digits of pi as x is long: M. H. Payne, R. N. Hanek, Radian reduction for
trigonometric functions, ACM SIGNUM Newsletter 18 (1983), 19-24.
"""

from __future__ import annotations

import math

from exp_core.vector._parts import elementwise, flip, horner, is_single, like, select, shift, widen

# pi = P1 + P2 + P3 + P4, the first three of 31 bits; k and k + 1/2 take 22 bits up to the limit: products are exact.
P1, P2, P3, P4 = 0x6487ED51 * 2.0**-29, 0x42D18469 * 2.0**-63, 0x44C6628B * 2.0**-94, 2.5413117520279757e-29
REST = 1.2154201013012384e-10  # pi - P1
LIMIT = 2.0**21 * math.pi  # 6.6e6
SHIFT = shift(64)
PER_PI = 1 / math.pi

# (sin r - r) / r^3 as a function of r^2 on [0, (pi/2)^2], to 2^-35 and 2^-61; both are used in float64.
SIN32 = (-0.16666666663897575, 0.008333332770871704, -0.00019841086990610282, 2.7536491385944773e-06,
         -2.4080754195909804e-08)  # fmt: skip
SIN64 = (-0.16666666666666666, 0.008333333333333316, -0.00019841269841254999, 2.755731921916942e-06,
         -2.5052107617712765e-08, 1.605897735505696e-10, -7.643971552182898e-13, 2.731459303285391e-15)  # fmt: skip
COSINE = -4 / math.pi**2  # cos r = 1 + COSINE r^2 to 6%: enough for what multiplies a rounding error


@elementwise
def sin(x: float) -> float:
    """$\\sin x$ for $|x| \\le 6.5 \\cdot 10^6$; not a number beyond.

    Within 0.51 ULP in float32, 2.5 in float64.
    """
    y = widen(x)
    t = y * PER_PI + SHIFT
    return select(x == like(x, 0), x, half_turns(x, y, t - SHIFT, t))  # -0.0 stays -0.0


@elementwise
def cos(x: float) -> float:
    """$\\cos x = \\sin(x + \\pi/2)$ for $|x| \\le 6.5 \\cdot 10^6$, where the quarter of a turn is taken from k.

    Within 0.51 ULP in float32, 2.5 in float64.
    """
    y = widen(x)
    t = (y * PER_PI + 0.5) + SHIFT
    return half_turns(x, y, (t - SHIFT) - 0.5, t)


@elementwise
def half_turns(x: float, y: float, k: float, t: float) -> float:
    """$\\pm\\sin(y - k \\pi)$ in x's type, the sign by the last bit of t."""
    a = y - k * P1
    if is_single(x):
        r = a - k * REST
        z = r * r
        s = r + r * z * horner(z, SIN32, SIN32)
    else:
        b = a - k * P2
        c = b - k * P3
        low = ((a - b) - k * P2) + (((b - c) - k * P3) - k * P4)  # what b and c were rounded by, and the rest of pi
        r = c + low
        lost = (c - r) + low
        z = r * r
        s = r + (r * z * horner(z, SIN64, SIN64) + lost * (1 + COSINE * z))
    return like(x, select(abs(y) <= LIMIT, flip(s, t), math.nan))
