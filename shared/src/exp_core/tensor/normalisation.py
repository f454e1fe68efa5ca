"""Normalisation of the last axis, to mean 0 and variance 1 or to mean square 1; squares do not overflow.

Float64, float32, float16 or bfloat16, shape (..., n); the result has the shape and element type of x; halves are
computed in float32 and rounded once.  A row that holds a NaN or an infinity becomes NaN.  Each raises TypeError for
other element types, and ValueError if x has no dimension, n = 0, or weight or bias is not of shape (n,).
"""

from __future__ import annotations

import math

import numpy as np

from exp_core.tensor.convert import in_dtype, rounded, widened
from exp_core.tensor.dtypes import dtype_name
from exp_core.tensor.namespaces import A, Array, Work, namespace


@np.errstate(all="ignore")
def layer_norm(x: A, weight: Array | None = None, bias: Array | None = None, *, eps: float = 1e-5) -> A:
    """$y = (x - \\mu) / \\sqrt{\\sigma^2 + \\epsilon} \\cdot w + b$, with a row's mean $\\mu$ and variance $\\sigma^2$.

    Variance in two passes, over n.  Rejected: $\\overline{x^2} - \\mu^2$, which cancels where $|\\mu| \\gg \\sigma$
    (Higham 2002, section 1.9).  Source: Ba, Kiros, Hinton, Layer normalization, arXiv:1607.06450 (2016).
    """
    _check(x, weight, bias)
    xp, (z, scale) = namespace(x), _scaled(x, weight, bias)
    d = z - xp.mean(z, axis=-1, keepdims=True)
    y = d / _root_mean_square(d, scale, eps)
    if weight is not None:
        y = y * in_dtype(weight, dtype_name(y))
    if bias is not None:
        y = y + in_dtype(bias, dtype_name(y))
    return rounded(y, like=x)


@np.errstate(all="ignore")
def rms_norm(x: A, weight: Array | None = None, *, eps: float = 1e-5) -> A:
    """$y = \\frac{x}{\\sqrt{\\overline{x^2} + \\epsilon}} \\cdot w$.

    Source: Zhang, Sennrich, Root mean square layer normalization, NeurIPS 2019.
    """
    _check(x, weight)
    z, scale = _scaled(x, weight)
    y = z / _root_mean_square(z, scale, eps)
    if weight is not None:
        y = y * in_dtype(weight, dtype_name(y))
    return rounded(y, like=x)


def _check(x: Array, *vectors: Array | None) -> None:
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"normalisation needs a last axis of at least one entry, not shape {x.shape}")
    for vector in vectors:
        if vector is not None and vector.shape != x.shape[-1:]:
            raise ValueError(f"weight and bias must have shape {x.shape[-1:]}, not {vector.shape}")


def _scaled(x: Array, *vectors: Array | None) -> tuple[Work, Work]:
    """x/s and $s = \\max(1, \\max |x|)$ of each row: x itself unless its squares could overflow."""
    xp, w = namespace(x), widened(x, *vectors)
    scale = xp.maximum(xp.max(xp.abs(w), axis=-1, keepdims=True), 1.0)
    return w / scale, scale


def _root_mean_square(z: Work, scale: Work, eps: float) -> Work:
    """$\\sqrt{\\overline{z^2} + \\epsilon/s^2}$, or 1 where that vanishes, with z = 0."""
    xp = namespace(z)
    root = xp.sqrt(xp.mean(xp.square(z), axis=-1, keepdims=True) + xp.square(math.sqrt(eps) / scale))
    return xp.where(root == 0, 1.0, root)
