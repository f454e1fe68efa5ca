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
from collections.abc import Callable
from typing import TYPE_CHECKING

from exp_core.tensor import dtype_name

if TYPE_CHECKING:
    import mlx.core as mx

    Elementwise = Callable[[mx.array], mx.array]

DTYPES = ("float32", "float16", "bfloat16")


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

    from dl_exp._elementwise_derivatives import FORMULAS

    formula, derivative = FORMULAS[name]
    function = mx.custom_function(mx.compile(formula))

    def backwards(primals: mx.array, cotangents: mx.array, outputs: mx.array) -> mx.array:
        return cotangents * derivative(primals, outputs)

    function.vjp(backwards)
    return function
