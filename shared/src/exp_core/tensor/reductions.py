"""Softmax and its relatives along one axis: huge inputs do not overflow, small probabilities keep their digits.

Each takes float64, float32, float16 or bfloat16, any shape, and returns the same element type; halves are computed in
float32 and rounded once.  NaN in a slice makes that slice NaN.  An empty axis is the empty sum: softmax of nothing is
nothing, logsumexp of nothing is $\\log 0 = -\\infty$.  Each raises TypeError for other element types, IndexError for
an axis that x does not have.

Source: P. Blanchard, D. J. Higham, N. J. Higham, Accurately computing the log-sum-exp and softmax functions,
IMA J. Numer. Anal. 41 (2021), 2311-2330.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from exp_core.tensor.convert import rounded, widened
from exp_core.tensor.namespaces import A, Array, Work, checked_axis, namespace
from exp_core.tensor.selection import take_along_axis
from exp_core.tensor.special import exp


@np.errstate(all="ignore")
def softmax(x: A, axis: int = -1) -> A:
    """$p_i = e^{x_i - m} / \\sum_j e^{x_j - m}$, $m = \\max_j x_j$; the shape of x.

    A slice of nothing but $-\\infty$, or with a $+\\infty$ in it, is 0/0 or ∞/∞: NaN.
    Rejected: $e^{x_i} / \\sum_j e^{x_j}$, which overflows at x = 89 in float32.
    """
    axis = checked_axis(x, axis)
    if x.size == 0:
        return x
    xp, w = namespace(x), widened(x)
    e = exp(w - xp.max(w, axis=axis, keepdims=True))
    return rounded(e / xp.sum(e, axis=axis, keepdims=True), like=x)


@np.errstate(all="ignore")
def logsumexp(x: A, axis: int = -1, *, keepdims: bool = False) -> A:
    """$\\log \\sum_j e^{x_j} = m + \\mathrm{log1p} \\sum_{j \\ne k} e^{x_j - m}$, $m = x_k = \\max_j x_j$.

    The shape of x without the axis (with keepdims: of length 1).  All $-\\infty$ gives $-\\infty$; a $+\\infty$ gives
    $+\\infty$.
    Rejected: $m + \\log \\sum_j e^{x_j - m}$, which loses a sum of the others below u.
    """
    axis = checked_axis(x, axis)
    m, log_rest = _largest_and_log_of_rest(x, axis)
    total = m + log_rest
    return rounded(total if keepdims else _without_axis(total, axis), like=x)


@np.errstate(all="ignore")
def log_softmax(x: A, axis: int = -1) -> A:
    """$\\log p_i = (x_i - m) - \\mathrm{log1p} \\sum_{j \\ne k} e^{x_j - m}$, $m = x_k = \\max_j x_j$; the shape of x.

    Beside a $+\\infty$ (itself NaN) everything else is $-\\infty$; a slice of nothing but $-\\infty$ is NaN.
    Rejected: the logarithm of softmax, which is $-\\infty$ as soon as the probability underflows; and
    $x_i - \\mathrm{logsumexp}(x)$, which cancels when all $x_i$ are large.
    """
    axis = checked_axis(x, axis)
    if x.size == 0:
        return x
    m, log_rest = _largest_and_log_of_rest(x, axis)
    return rounded((widened(x) - m) - log_rest, like=x)


@np.errstate(all="ignore")
def cross_entropy(logits: A, labels: Array, axis: int = -1) -> A:
    """$-\\log p_y$ in nats, $p = \\mathrm{softmax}(x)$: a loss for each sample; the caller takes the mean.

    logits   x, floats, the classes along the axis.
    labels   y, integers from 0 to classes - 1, the shape of x without the axis.
    result   the shape of labels, the element type of logits.
    Raises   IndexError for a label out of range (on both libraries; MLX itself would read beyond the array, and a
             negative label is no class), ValueError if there are no classes or the shapes do not fit.  The labels are
             read, so not inside ``mx.compile``.
    """
    axis = checked_axis(logits, axis)
    if logits.shape[axis] == 0:
        raise ValueError("cross entropy needs at least one class")
    expected = logits.shape[:axis] + logits.shape[axis + 1 :]
    if labels.shape != expected:
        raise ValueError(f"labels must have shape {expected}, the logits' without axis {axis}, not {labels.shape}")
    xp = namespace(logits, labels)
    m, log_rest = _largest_and_log_of_rest(logits, axis)
    index = xp.expand_dims(cast("Work", labels), axis)
    of_label = take_along_axis(widened(logits), index, axis, negative=False)
    return rounded(_without_axis((m - of_label) + log_rest, axis), like=logits)


def _largest_and_log_of_rest(x: Array, axis: int) -> tuple[Work, Work]:
    """The largest entry $m = x_k$ and $\\mathrm{log1p} \\sum_{j \\ne k} e^{x_j - m}$, the axis kept."""
    xp, w = namespace(x), widened(x)
    n = x.shape[axis]
    if x.size == 0:
        nothing = xp.zeros((*x.shape[:axis], 1, *x.shape[axis + 1 :]), w.dtype)
        return nothing - xp.inf, nothing
    place = xp.arange(n).reshape([n if i == axis else 1 for i in range(x.ndim)])
    is_k = place == xp.argmax(w, axis=axis, keepdims=True)
    m = xp.sum(xp.where(is_k, w, 0.0), axis=axis, keepdims=True)  # not max: with ties, its derivative would be shared
    shift = xp.where(xp.isfinite(m), m, 0.0)  # an infinite m stands in the result alone
    rest = xp.sum(xp.where(is_k, 0.0, exp(w - shift)), axis=axis, keepdims=True)
    return m, xp.log1p(xp.where(m == -xp.inf, 0.0, rest))


def _without_axis(x: Work, axis: int) -> Work:
    return x.reshape(x.shape[:axis] + x.shape[axis + 1 :])
