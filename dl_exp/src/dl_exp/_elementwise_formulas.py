"""Elementwise functions as polynomials in MLX's own operations, in float32, for mx.compile to fuse.

The formulas and coefficients are those of ``exp_core.vector`` and ``exp_core.tensor``; who calls them is
``dl_exp.elementwise``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from exp_core.tensor.special import K, erfc_series
from exp_core.vector.coefficients import (
    BIAS,
    EXP32,
    HIGH32,
    HIGHEST32,
    LOG2_E,
    LOG32,
    LOW32,
    LOWEST32,
    MANTISSA,
    TANH32,
    shift,
)

if TYPE_CHECKING:
    import mlx.core as mx

PLACE = MANTISSA[32]
SCALE = shift(32, 2 * BIAS[32])
SMALLEST_NORMAL = 2.0**-126
SIGN = 1 << 31
ROOT_HALF_BITS = 0x3F3504F3  # of sqrt(1/2) as a float32
GELU_TERMS = 15  # the next coefficients of the series are below 2^-27


def exp(x: mx.array) -> mx.array:
    """$2^k e^r$, $x = k \\ln 2 + r$: as in exp_core.vector."""
    import mlx.core as mx

    y = mx.minimum(mx.maximum(x, LOWEST32), HIGHEST32)
    t = y * LOG2_E + SCALE  # rounds to k, which is then in the last bits
    k = t - SCALE
    r = _cut((y - k * HIGH32) - k * LOW32)
    n = t.view(mx.uint32)
    half = n >> 1
    first, second = ((part << PLACE).view(mx.float32) for part in (half, n - half))
    return _cut(((r * r * _polynomial(r, EXP32) + r + 1) * first) * second)


def log(x: mx.array) -> mx.array:
    """$k \\ln 2 + \\ln m$, $x = 2^k m$: as in exp_core.vector."""
    import mlx.core as mx

    raised = mx.where(x < SMALLEST_NORMAL, 2.0**PLACE, 1.0)  # makes normal what is below it
    n = (x * raised).view(mx.int32) + ((BIAS[32] << PLACE) - ROOT_HALF_BITS)
    k = _cut(((n >> PLACE) - (raised.view(mx.int32) >> PLACE)).astype(mx.float32))
    f = ((n & ((1 << PLACE) - 1)) + ROOT_HALF_BITS).view(mx.float32) - 1
    s = _cut(f / (f + 2))
    z, half = s * s, 0.5 * f * f
    low = s * (half + z * _polynomial(z, LOG32)) + k * LOW32
    result = _cut(k * HIGH32 - ((half - low) - f))
    limit = mx.where(x == 0, -math.inf, mx.where(x == math.inf, math.inf, math.nan))
    return mx.where((x > 0) & (x < math.inf), result, limit)


def tanh(x: mx.array) -> mx.array:
    """Of |x|; the sign is put in as a bit.  Rejected: a choice of two signs, a branch for each number."""
    import mlx.core as mx

    a = mx.abs(x)
    z = a * a
    small = _cut(a + a * (z * _polynomial(z, TANH32)))
    large = _cut(1 - 2 / (exp(2 * _at_most(a, 10.0)) + 1))
    size = mx.where(mx.abs(x) >= 1, large, small)  # not a number stays what it is
    return (size.view(mx.uint32) | (x.view(mx.uint32) & SIGN)).view(mx.float32)


def sigmoid(x: mx.array) -> mx.array:
    import mlx.core as mx

    e = exp(-mx.abs(x))
    return mx.where(x < 0, e, 1.0) / (1 + e)


def silu(x: mx.array) -> mx.array:
    return finite(x) * sigmoid(x)


def gelu(x: mx.array) -> mx.array:
    return finite(x) * normal_cdf(x)


def gelu_tanh(x: mx.array) -> mx.array:
    return finite(x) * sigmoid(2 * tanh_argument(x))


def normal_cdf(x: mx.array) -> mx.array:
    """$\\Phi(x)$, as in exp_core.tensor, with fewer terms."""
    import mlx.core as mx

    z = _cut(_at_most(mx.abs(x), 20.0) * math.sqrt(0.5))
    t = _cut((z - K) / (z + K))
    low, high = (_cut(_polynomial(t, part)) for part in _erfc_polynomial())
    t8 = _cut((t * t) * (t * t)) * _cut((t * t) * (t * t))
    tail = _half_gauss(x) * _cut((low + high * t8) / (2 + 4 * z))
    return mx.where(x <= 0, tail, _cut(1 - tail))


def normal_pdf(x: mx.array) -> mx.array:
    return _half_gauss(x) * (1 / math.sqrt(2 * math.pi))


def _half_gauss(x: mx.array) -> mx.array:
    """$e^{-x^2/2}$: the square of x rounded to sixteenths is exact, what is left of the exponent is small."""
    import mlx.core as mx

    a = _cut(_at_most(mx.abs(x), 20.0))
    h = _cut(((16 * a + shift(32)) - shift(32)) * (1 / 16))
    return exp(-0.5 * (h * h)) * exp(-0.5 * ((a - h) * (a + h)))


def tanh_argument(x: mx.array) -> mx.array:
    import mlx.core as mx

    y = mx.minimum(mx.maximum(x, -1e4), 1e4)  # tanh has long been ±1, and y³ is not yet infinite
    return math.sqrt(2 / math.pi) * (y + 0.044715 * (y * y * y))


def finite(x: mx.array) -> mx.array:
    """x with -∞ replaced by the lowest finite number, so that times 0 it is 0."""
    import mlx.core as mx

    return mx.maximum(x, -3.4028234663852886e38)


def _at_most(x: mx.array, limit: float) -> mx.array:
    """The smaller one.  Rejected: mx.minimum, whose test for NaN keeps what follows from being vector instructions."""
    import mlx.core as mx

    return mx.where(x >= limit, limit, x)  # not a number stays what it is


def _polynomial(x: mx.array, c: Sequence[float]) -> mx.array:
    """$\\sum c_i x^i$, by Estrin: pairs, and pairs of pairs, so that the longest chain grows as the logarithm."""
    if len(c) == 1:
        return c[0] + 0 * x
    terms = [c[i] + c[i + 1] * x if i + 1 < len(c) else c[i] for i in range(0, len(c), 2)]
    power = x * x
    while len(terms) > 1:
        terms = [terms[i] + terms[i + 1] * power if i + 1 < len(terms) else terms[i] for i in range(0, len(terms), 2)]
        power = power * power
    return terms[0]


def _cut(x: mx.array) -> mx.array:
    """x itself, where mx.compile is to begin a new loop.

    It fuses chains of eleven operations at most.  Where it cuts a longer one itself, a constant may become an array,
    read by a stride of zero, and the compiler then makes no vector instructions.
    """
    import mlx.core as mx

    return x.view(mx.uint32).view(mx.float32)


@functools.cache
def _erfc_polynomial() -> tuple[Sequence[float], Sequence[float]]:
    """The Chebyshev series of $(1 + 2z) e^{z^2} \\mathrm{erfc}(z)$ by powers of t, up to $t^7$ and from there."""
    from numpy.polynomial import chebyshev

    powers = chebyshev.cheb2poly(erfc_series()[:GELU_TERMS]).tolist()
    return powers[:8], powers[8:]
