"""Activations and their derivatives, finite wherever the limit is finite.

Each takes an array of any shape of float64, float32, float16 or bfloat16 and returns the same; halves are computed in
float32 and rounded once.  NaN gives NaN.  Each raises TypeError for other element types.
"""

from __future__ import annotations

import math

import numpy as np

from exp_core.tensor import special
from exp_core.tensor.convert import rounded, widened
from exp_core.tensor.dtypes import float_format
from exp_core.tensor.namespaces import A, Work, namespace


@np.errstate(all="ignore")
def relu(x: A) -> A:
    """$\\max(x, 0)$.  Source: Nair, Hinton, ICML 2010."""
    w = widened(x)
    return rounded(namespace(x).maximum(w, 0.0), like=x)


@np.errstate(all="ignore")
def relu_derivative(x: A) -> A:
    """1 where x > 0, else 0: at 0 the subgradient 0, as every framework has it."""
    w = widened(x)
    xp = namespace(x)
    return rounded(xp.where(w > 0, 1.0, 0.0 * xp.abs(_finite(w))), like=x)


@np.errstate(all="ignore")
def sigmoid(x: A) -> A:
    """$\\sigma(x) = 1/(1 + e^{-x})$."""
    return rounded(special.sigmoid(widened(x)), like=x)


@np.errstate(all="ignore")
def sigmoid_derivative(x: A) -> A:
    """$\\sigma'(x) = \\sigma(x) \\sigma(-x)$.  Rejected: $\\sigma(x)(1 - \\sigma(x))$, which cancels for large x."""
    w = widened(x)
    return rounded(special.sigmoid(w) * special.sigmoid(-w), like=x)


@np.errstate(all="ignore")
def silu(x: A) -> A:
    """$x \\sigma(x)$; its limit at $-\\infty$ is 0.

    Source: Elfwing, Uchibe, Doya, Sigmoid-weighted linear units, Neural Networks 107 (2018), 3-11.
    """
    w = widened(x)
    return rounded(_from_below(w) * special.sigmoid(w), like=x)


@np.errstate(all="ignore")
def silu_derivative(x: A) -> A:
    """$\\sigma(x) (1 + x \\sigma(-x))$.  Rejected: $1 - \\sigma(x)$ for $\\sigma(-x)$: its error grows with x."""
    w = widened(x)
    return rounded(special.sigmoid(w) * (1 + _finite(w) * special.sigmoid(-w)), like=x)


@np.errstate(all="ignore")
def gelu(x: A) -> A:
    """$x \\Phi(x)$, with the distribution function of the normal distribution.

    Rejected: $\\frac x2 (1 + \\mathrm{erf}(x/\\sqrt2))$, which has no correct digit left below x = -6 in float32.
    Source: Hendrycks, Gimpel, Gaussian error linear units, arXiv:1606.08415 (2016).
    """
    w = widened(x)
    return rounded(_from_below(w) * special.normal_cdf(w), like=x)


@np.errstate(all="ignore")
def gelu_derivative(x: A) -> A:
    """$\\Phi(x) + x \\varphi(x)$."""
    w = widened(x)
    return rounded(special.normal_cdf(w) + _finite(w) * special.normal_pdf(w), like=x)


@np.errstate(all="ignore")
def gelu_tanh(x: A) -> A:
    """$x \\, \\sigma(2s)$, $s = \\sqrt{2/\\pi} (x + 0.044715 x^3)$: GPT-2's approximation, within 5e-4 of gelu.

    The same as $\\frac x2 (1 + \\tanh s)$, the form rejected here: it cancels for x < 0.
    Source: Hendrycks, Gimpel (2016), section 2.
    """
    w = widened(x)
    return rounded(_from_below(w) * special.sigmoid(2 * _tanh_argument(w)), like=x)


@np.errstate(all="ignore")
def gelu_tanh_derivative(x: A) -> A:
    """$\\sigma(2s) (1 + 2x s' \\sigma(-2s))$, $s' = \\sqrt{2/\\pi} (1 + 3 \\cdot 0.044715 x^2)$."""
    w = _clipped(widened(x), 1e4)  # beyond, the derivative is 0 or 1
    s = _tanh_argument(w)
    slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * (w * w))
    return rounded(special.sigmoid(2 * s) * (1 + 2 * w * slope * special.sigmoid(-2 * s)), like=x)


def _tanh_argument(w: Work) -> Work:
    w = _clipped(w, 1e4)  # where tanh has long been ±1, and x³ not yet infinite
    return math.sqrt(2 / math.pi) * (w + 0.044715 * (w * w * w))


def _from_below(w: Work) -> Work:
    """w with -∞ replaced by the lowest finite number, so that times 0 it is 0."""
    return namespace(w).maximum(w, -float_format(w).largest)


def _finite(w: Work) -> Work:
    """w with ±∞ replaced by finite numbers."""
    return _clipped(w, float_format(w).largest)


def _clipped(w: Work, limit: float) -> Work:
    xp = namespace(w)
    return xp.minimum(xp.maximum(w, -limit), limit)
