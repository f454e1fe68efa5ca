"""Elementwise functions for MLX on a Linux CPU, in arithmetic that a compiler turns into vector instructions.

There MLX calls the C library for one number at a time: 9 ns for exp and 14 for tanh, where a multiplication takes 0.1.
These are the polynomials of ``exp_core.vector`` in MLX's own operations, fused by mx.compile: 1.3 and 2.6 ns.  On a GPU
and on a Mac MLX's functions are fast, and these names stand for them.

    from dl_exp import elementwise
    mx.grad(lambda x: elementwise.gelu(x).sum())(x)

Each takes an array of float32, float16 or bfloat16 and returns the same; halves are computed in float32 and rounded
once.  Other types: TypeError.  Each has its derivative in closed form (mx.custom_function), made of these functions, so
that it can be differentiated again.  mx.vmap works; mx.jvp does not.

The largest errors seen in float32, in units in the last place, where the result is a normal number:

    exp, log   1.0        silu                     3.1
    tanh       1.3        normal_pdf               4
    sigmoid    2.5        normal_cdf, gelu         8, 10

gelu_tanh magnifies the rounding of its argument, as every form of it does: 4 + 6|s| units.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from exp_core.tensor import dtype_name
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

    Elementwise = Callable[[mx.array], mx.array]

DTYPES = ("float32", "float16", "bfloat16")
PLACE = MANTISSA[32]
SCALE = shift(32, 2 * BIAS[32])
SMALLEST_NORMAL = 2.0**-126
SIGN = 1 << 31
ROOT_HALF_BITS = 0x3F3504F3  # of sqrt(1/2) as a float32
GELU_TERMS = 15  # the next coefficients of the series are below 2^-27


def exp(x: mx.array) -> mx.array:
    """$e^x$; 0 and infinity beyond the range, gradually through the subnormal numbers."""
    return _apply("exp", x)


def log(x: mx.array) -> mx.array:
    """$\\ln x$; minus infinity of 0, not a number of what is below."""
    return _apply("log", x)


def tanh(x: mx.array) -> mx.array:
    """The odd series up to |x| = 1, $1 - 2/(e^{2|x|} + 1)$ beyond."""
    return _apply("tanh", x)


def sigmoid(x: mx.array) -> mx.array:
    """$1/(1 + e^{-x})$, accurate in both tails."""
    return _apply("sigmoid", x)


def silu(x: mx.array) -> mx.array:
    """$x \\sigma(x)$; its limit at $-\\infty$ is 0.

    Source: Elfwing, Uchibe, Doya, Sigmoid-weighted linear units, Neural Networks 107 (2018), 3-11.
    """
    return _apply("silu", x)


def normal_cdf(x: mx.array) -> mx.array:
    """$\\Phi(x)$, accurate in the lower tail."""
    return _apply("normal_cdf", x)


def normal_pdf(x: mx.array) -> mx.array:
    """$e^{-x^2/2}/\\sqrt{2\\pi}$."""
    return _apply("normal_pdf", x)


def gelu(x: mx.array) -> mx.array:
    """$x \\Phi(x)$, accurate in the lower tail.

    Source: Hendrycks, Gimpel, Gaussian error linear units, arXiv:1606.08415 (2016).
    """
    return _apply("gelu", x)


def gelu_tanh(x: mx.array) -> mx.array:
    """$x \\, \\sigma(2s)$, $s = \\sqrt{2/\\pi} (x + 0.044715 x^3)$: GPT-2's approximation of gelu.

    Source: Hendrycks, Gimpel (2016), section 2.
    """
    return _apply("gelu_tanh", x)


def softmax(x: mx.array) -> mx.array:
    """$e^{x_j - m} / \\sum_i e^{x_i - m}$ over the last axis, m its maximum."""
    import mlx.core as mx

    _check(x)
    if not _scalar_here():
        return mx.softmax(x, axis=-1, precise=True)
    powers = exp(_shifted(x.astype(mx.float32)))
    return (powers / mx.sum(powers, axis=-1, keepdims=True)).astype(x.dtype)


def log_softmax(x: mx.array) -> mx.array:
    """$x_j - m - \\ln \\sum_i e^{x_i - m}$ over the last axis."""
    import mlx.core as mx

    _check(x)
    shifted = _shifted(x.astype(mx.float32))
    return (shifted - log(mx.sum(exp(shifted), axis=-1, keepdims=True))).astype(x.dtype)


def _shifted(x: mx.array) -> mx.array:
    """x less its maximum, which is a constant to the derivative: the quotient does not depend on it."""
    import mlx.core as mx

    return x - mx.stop_gradient(mx.max(x, axis=-1, keepdims=True))


def _apply(name: str, x: mx.array) -> mx.array:
    import mlx.core as mx

    _check(x)
    function = _ours(name) if _scalar_here() else _mlx(name)
    return function(x.astype(mx.float32)).astype(x.dtype)


def _check(x: mx.array) -> None:
    if dtype_name(x) not in DTYPES:
        raise TypeError(f"needs an array of {', '.join(DTYPES)}, not {dtype_name(x)}")


def _scalar_here() -> bool:
    """Whether MLX would take one number at a time on its default device."""
    import mlx.core as mx

    return sys.platform == "linux" and mx.default_device() == mx.Device(mx.cpu)


@functools.cache
def _mlx(name: str) -> Elementwise:
    """What MLX has by that name, or what it makes of its own functions."""
    import mlx.core as mx
    import mlx.nn as nn

    names: dict[str, Elementwise] = {
        "silu": nn.silu,
        "normal_cdf": lambda x: 0.5 + 0.5 * mx.erf(x * math.sqrt(0.5)),
        "normal_pdf": lambda x: mx.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi)),
        "gelu": nn.gelu,
        "gelu_tanh": nn.gelu_approx,
    }
    return names.get(name) or getattr(mx, name)


@functools.cache
def _ours(name: str) -> Elementwise:
    """The formula, fused, with its derivative."""
    import mlx.core as mx

    formula, derivative = FORMULAS[name]
    function = mx.custom_function(mx.compile(formula))

    def backwards(primals: mx.array, cotangents: mx.array, outputs: mx.array) -> mx.array:
        return cotangents * derivative(primals, outputs)

    function.vjp(backwards)
    return function


# ---- the formulas, in float32


def _exp(x: mx.array) -> mx.array:
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


def _log(x: mx.array) -> mx.array:
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


def _tanh(x: mx.array) -> mx.array:
    """Of |x|; the sign is put in as a bit.  Rejected: a choice of two signs, a branch for each number."""
    import mlx.core as mx

    a = mx.abs(x)
    z = a * a
    small = _cut(a + a * (z * _polynomial(z, TANH32)))
    large = _cut(1 - 2 / (_exp(2 * _at_most(a, 10.0)) + 1))
    size = mx.where(mx.abs(x) >= 1, large, small)  # not a number stays what it is
    return (size.view(mx.uint32) | (x.view(mx.uint32) & SIGN)).view(mx.float32)


def _sigmoid(x: mx.array) -> mx.array:
    import mlx.core as mx

    e = _exp(-mx.abs(x))
    return mx.where(x < 0, e, 1.0) / (1 + e)


def _silu(x: mx.array) -> mx.array:
    return _finite(x) * _sigmoid(x)


def _gelu(x: mx.array) -> mx.array:
    return _finite(x) * _normal_cdf(x)


def _gelu_tanh(x: mx.array) -> mx.array:
    return _finite(x) * _sigmoid(2 * _tanh_argument(x))


def _normal_cdf(x: mx.array) -> mx.array:
    """$\\Phi(x)$, as in exp_core.tensor, with fewer terms."""
    import mlx.core as mx

    z = _cut(_at_most(mx.abs(x), 20.0) * math.sqrt(0.5))
    t = _cut((z - K) / (z + K))
    low, high = (_cut(_polynomial(t, part)) for part in _erfc_polynomial())
    t8 = _cut((t * t) * (t * t)) * _cut((t * t) * (t * t))
    tail = _half_gauss(x) * _cut((low + high * t8) / (2 + 4 * z))
    return mx.where(x <= 0, tail, _cut(1 - tail))


def _normal_pdf(x: mx.array) -> mx.array:
    return _half_gauss(x) * (1 / math.sqrt(2 * math.pi))


def _half_gauss(x: mx.array) -> mx.array:
    """$e^{-x^2/2}$: the square of x rounded to sixteenths is exact, what is left of the exponent is small."""
    import mlx.core as mx

    a = _cut(_at_most(mx.abs(x), 20.0))
    h = _cut(((16 * a + shift(32)) - shift(32)) * (1 / 16))
    return _exp(-0.5 * (h * h)) * _exp(-0.5 * ((a - h) * (a + h)))


def _tanh_argument(x: mx.array) -> mx.array:
    import mlx.core as mx

    y = mx.minimum(mx.maximum(x, -1e4), 1e4)  # tanh has long been ±1, and y³ is not yet infinite
    return math.sqrt(2 / math.pi) * (y + 0.044715 * (y * y * y))


def _finite(x: mx.array) -> mx.array:
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


# ---- and their derivatives, of x and the result y


def _tanh_derivative(x: mx.array, y: mx.array) -> mx.array:
    """$4 \\sigma(2x) \\sigma(-2x)$.  Rejected: $1 - y^2$, which cancels."""
    return 4 * sigmoid(2 * x) * sigmoid(-2 * x)


def _silu_derivative(x: mx.array, y: mx.array) -> mx.array:
    """$\\sigma(x) + x \\sigma(x) \\sigma(-x)$."""
    return sigmoid(x) + y * sigmoid(-x)


def _gelu_derivative(x: mx.array, y: mx.array) -> mx.array:
    """$\\Phi(x) + x \\varphi(x)$."""
    return normal_cdf(x) + _finite(x) * normal_pdf(x)


def _gelu_tanh_derivative(x: mx.array, y: mx.array) -> mx.array:
    """$\\sigma(2s) + 2s' x \\, \\sigma(2s) \\sigma(-2s)$, $s' = \\sqrt{2/\\pi} (1 + 3 \\cdot 0.044715 x^2)$."""
    import mlx.core as mx

    small = mx.minimum(mx.maximum(x, -1e4), 1e4)  # beyond, the second term has long been 0
    slope = math.sqrt(8 / math.pi) * (1 + 3 * 0.044715 * (small * small))
    s = 2 * _tanh_argument(x)
    return sigmoid(s) + slope * small * (sigmoid(s) * sigmoid(-s))


FORMULAS: dict[str, tuple[Elementwise, Callable[[mx.array, mx.array], mx.array]]] = {
    # name         formula      derivative
    "exp":        (_exp,        lambda x, y: y),
    "log":        (_log,        lambda x, y: 1 / x),
    "tanh":       (_tanh,       _tanh_derivative),
    "sigmoid":    (_sigmoid,    lambda x, y: y * sigmoid(-x)),
    "silu":       (_silu,       _silu_derivative),
    "normal_cdf": (_normal_cdf, lambda x, y: normal_pdf(x)),
    "normal_pdf": (_normal_pdf, lambda x, y: -x * y),
    "gelu":       (_gelu,       _gelu_derivative),
    "gelu_tanh":  (_gelu_tanh,  _gelu_tanh_derivative),
}  # fmt: skip
