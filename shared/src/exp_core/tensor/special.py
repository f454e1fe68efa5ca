"""Functions that the two libraries do not compute alike, in one form that is accurate in both.

MLX's exp on the CPU loses a relative error of about $|x| u$, and in float64 it is no better than in float32; nor are
its erf, sin and cos.  NumPy has no erf at all.  All functions here take and return arrays in a computing type
(float32 or float64; see ``convert.widened``), and MLX can differentiate them.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import cast

import numpy as np

from exp_core.tensor.dtypes import dtype_name, float_format
from exp_core.tensor.namespaces import Work, is_mlx, mlx, namespace

# ln 2 = high + low, where high has so few bits that k·high is exact for every exponent k that occurs.
#                     high                       low                          bits of the exponent: type, shift
LN2 = {  # W. J. Cody, W. Waite, Software Manual for the Elementary Functions (1980), section 6.4; fdlibm, e_exp.c
    "float32": (355 / 512,                       -2.1219444005469058e-4,      "int32", 23),
    "float64": (0x162E42FEE * 2.0**-33,          1.90821492927058770002e-10,  "int64", 52),
}  # fmt: skip

SQRT_HALF = math.sqrt(0.5)
K = 3.75  # the centre of Shepherd and Laframboise's map of [0, ∞) to [-1, 1)
TERMS = 25  # the next coefficients are below 2**-53


def exp(x: Work) -> Work:
    """$e^x$ to 4 units in the last place, that is 8u; 0 or infinite beyond the range of the type.

    NumPy's own; on MLX $2^k e^r$ with $x = k \\ln 2 + r$.
    """
    if not is_mlx(x):
        return cast("Work", np.exp(cast("np.ndarray[tuple[int, ...], np.dtype[np.float64]]", x)))
    mx, format_ = mlx(), float_format(x)
    high, low, integer, shift = LN2[dtype_name(x)]
    whole: object = getattr(mx, integer)
    x = mx.maximum(mx.minimum(x, (format_.emax + 2) * math.log(2)), 1.1 * (format_.emin - format_.precision))
    k = mx.stop_gradient(mx.round(x * (1 / math.log(2))))
    r = (x - k * high) - k * low  # rejected: x - k·ln 2, which cancels
    exponent = k.astype(whole)
    half = exponent // 2  # 2**k in two factors, each of which is in the range
    result = mx.expm1(r) + 1.0
    for part in (half, exponent - half):
        result = result * ((part + format_.emax) << shift).view(x.dtype)
    return result


def sigmoid(x: Work) -> Work:
    """$1/(1 + e^{-x})$, accurate in both tails.  Rejected: that very form, infinite over infinite in the derivative."""
    xp = namespace(x)
    e = exp(-xp.abs(x))
    return xp.where(x >= 0, 1 / (1 + e), e / (1 + e))


def normal_pdf(x: Work) -> Work:
    """$\\varphi(x) = e^{-x^2/2}/\\sqrt{2\\pi}$, with $x^2$ split so that its rounding is not magnified by $x^2/2$.

    Source: W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969), 631-637.
    """
    return _half_gauss(x) * (1 / math.sqrt(2 * math.pi))


def normal_cdf(x: Work) -> Work:
    """$\\Phi(x) = \\frac12 \\mathrm{erfc}(-x/\\sqrt2)$, accurate in the lower tail, to the smallest normal number.

    Rejected: $\\frac12(1 + \\mathrm{erf}(x/\\sqrt2))$, which cancels for x < 0.
    Source: M. M. Shepherd, J. G. Laframboise, Chebyshev approximation of $(1 + 2x) e^{x^2} \\mathrm{erfc}(x)$ in
    $0 \\le x < \\infty$, Math. Comp. 36 (1981), 249-253.
    """
    xp = namespace(x)
    z = xp.minimum(xp.abs(x), 40.0) * SQRT_HALF  # Φ(-40) underflows
    t = (z - K) / (z + K)
    b1 = b2 = xp.zeros(x.shape, x.dtype)
    for c in reversed(erfc_series()[1:]):  # Clenshaw's sum
        b1, b2 = 2 * (t * b1) - b2 + c, b1
    series = t * b1 - b2 + erfc_series()[0]
    tail = 0.5 * _half_gauss(x) * series / (1 + 2 * z)
    return xp.where(x <= 0, tail, 1 - tail)


def _half_gauss(x: Work) -> Work:
    """$e^{-x^2/2}$: the square of x rounded down to sixteenths is exact, what is left of the exponent is small."""
    xp = namespace(x)
    x = xp.minimum(xp.abs(x), 40.0)
    h = xp.floor(16 * x) * (1 / 16)
    return exp(-0.5 * (h * h)) * exp(-0.5 * ((x - h) * (x + h)))


@functools.cache
def erfc_series() -> tuple[float, ...]:
    """Chebyshev coefficients of $g(t) = (1 + 2z) e^{z^2} \\mathrm{erfc}(z)$, $t = (z - K)/(z + K)$, interpolated.

    Source: L. N. Trefethen, Approximation Theory and Approximation Practice (2013), chapter 3.
    """
    n = 2 * TERMS
    cosines = [
        math.cos(math.pi * i / (2 * n)) for i in range(4 * n)
    ]  # k times an angle would magnify its rounding k times
    values = []
    for j in range(n):
        t = cosines[2 * j + 1]
        z = K * (1 + t) / (1 - t)
        values.append((1 + 2 * z) * _erfcx(z))
    sums = [math.fsum(values[j] * cosines[k * (2 * j + 1) % (4 * n)] for j in range(n)) for k in range(TERMS)]
    return (sums[0] / n, *(2 * s / n for s in sums[1:]))


def _erfcx(z: float) -> float:
    """$e^{z^2} \\mathrm{erfc}(z)$ for z >= 0, by Laplace's continued fraction (Abramowitz, Stegun 7.1.14) if large."""
    if z < 2:
        square = z * z
        lost = float(Fraction(z) ** 2 - Fraction(square))
        return math.exp(square) * (1 + lost) * math.erfc(z)
    tail = z
    for k in range(300, 0, -1):
        tail = z + k / 2 / tail
    return 1 / (tail * math.sqrt(math.pi))
