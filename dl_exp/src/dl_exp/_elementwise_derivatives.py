"""The derivatives of elementwise functions, of x and the result y, in closed form, and the table of both.

They are made of the functions of ``dl_exp.elementwise`` themselves, so that they can be differentiated again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from dl_exp import _elementwise_formulas as formulas
from dl_exp import elementwise

if TYPE_CHECKING:
    import mlx.core as mx

    Formula = Callable[[mx.array], mx.array]
    Derivative = Callable[[mx.array, mx.array], mx.array]


def _tanh_derivative(x: mx.array, y: mx.array) -> mx.array:
    """$4 \\sigma(2x) \\sigma(-2x)$.  Rejected: $1 - y^2$, which cancels."""
    return 4 * elementwise.sigmoid(2 * x) * elementwise.sigmoid(-2 * x)


def _silu_derivative(x: mx.array, y: mx.array) -> mx.array:
    """$\\sigma(x) + x \\sigma(x) \\sigma(-x)$."""
    return elementwise.sigmoid(x) + y * elementwise.sigmoid(-x)


def _gelu_derivative(x: mx.array, y: mx.array) -> mx.array:
    """$\\Phi(x) + x \\varphi(x)$."""
    return elementwise.normal_cdf(x) + formulas.finite(x) * elementwise.normal_pdf(x)


def _gelu_tanh_derivative(x: mx.array, y: mx.array) -> mx.array:
    """$\\sigma(2s) + 2s' x \\, \\sigma(2s) \\sigma(-2s)$, $s' = \\sqrt{2/\\pi} (1 + 3 \\cdot 0.044715 x^2)$."""
    import mlx.core as mx

    small = mx.minimum(mx.maximum(x, -1e4), 1e4)  # beyond, the second term has long been 0
    slope = math.sqrt(8 / math.pi) * (1 + 3 * 0.044715 * (small * small))
    s = 2 * formulas.tanh_argument(x)
    return elementwise.sigmoid(s) + slope * small * (elementwise.sigmoid(s) * elementwise.sigmoid(-s))


FORMULAS: dict[str, tuple[Formula, Derivative]] = {
    # name         formula              derivative
    "exp":        (formulas.exp,        lambda x, y: y),
    "log":        (formulas.log,        lambda x, y: 1 / x),
    "tanh":       (formulas.tanh,       _tanh_derivative),
    "sigmoid":    (formulas.sigmoid,    lambda x, y: y * elementwise.sigmoid(-x)),
    "silu":       (formulas.silu,       _silu_derivative),
    "normal_cdf": (formulas.normal_cdf, lambda x, y: elementwise.normal_pdf(x)),
    "normal_pdf": (formulas.normal_pdf, lambda x, y: -x * y),
    "gelu":       (formulas.gelu,       _gelu_derivative),
    "gelu_tanh":  (formulas.gelu_tanh,  _gelu_tanh_derivative),
}  # fmt: skip
