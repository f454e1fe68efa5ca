"""What softmax must obey, and by how much rounding may miss it."""

from __future__ import annotations

import math

import numpy as np

from exp_core.tensor import dtype_name, gamma, unit_roundoff

EXP_ULP = 4  # units in the last place by which exp may err (Metal Shading Language Specification, table 8.2)


def exact(x):
    """The same in float64, shifted."""
    scores = x.astype(np.float64)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def relative_error(p, x, truth):
    r"""The largest $|\hat p - p| / p$, each taken with its condition $1 + |x_j - m|$; what underflows may be lost.

    Below $2^{-126}$ that is all of it; a result below float16's smallest normal number is rounded to a multiple of
    $2^{-24}$: by half of that at most, which is that number times u.
    """
    if p.shape != x.shape or dtype_name(p) != dtype_name(x):
        return math.inf
    scores = x.astype(np.float64)
    condition = 1 + scores.max(axis=-1, keepdims=True) - scores
    error = np.abs(p.astype(np.float64) - truth) / (truth * condition + lost(x))
    return float(error.max()) if not np.isnan(error).any() else math.nan


def lost(x):
    """What may be lost of a result by underflow, over u."""
    if dtype_name(x) == "float16":
        return float(np.finfo(np.float16).tiny)
    return float(np.finfo(np.float32).tiny) / unit_roundoff(x)


def total_error(p, x, truth):
    """How far the rows' sums are from 1, by the sum's own condition."""
    error = np.abs(p.astype(np.float64).sum(axis=-1) - 1)
    return float(error.max()) if not np.isnan(error).any() else math.nan


def rounding(x):
    """Computed in float32, rounded once to the result's type.

    By Blanchard, Higham, Higham (2021), section 4: n - 1 additions, two exponentials, a division; the shift's
    rounding is multiplied by |x_j - max| (the law divides by it) and, averaged over the sum, by at most ln n.
    """
    n = x.shape[-1]
    return unit_roundoff(x) + gamma(n - 1 + 2 * (2 * EXP_ULP) + 1 + 1 + math.log(n), "float32")


def in_lanes(x):
    """The same for row_by_row: an exponential errs by 6 u and by 4 |x_j - max| u, shift included (_softmax_vectors).

    In the sum the latter count 4 ln n at most.  A vector has 4 lanes or more: a power meets n/4 additions, and 2.
    """
    n = x.shape[-1]
    return gamma(6 + (math.ceil(n / 4) + 2 + 6 + 4 * math.log(n)) + 2, "float32")


def of_the_total(rounding):
    """Each p_j errs by that bound times its condition; the conditions' mean over p is at most 1 + ln n.

    And each may underflow.
    """

    def bound(x):
        return (1 + math.log(x.shape[-1])) * rounding(x) + x.shape[-1] * lost(x) * unit_roundoff(x)

    return bound


LAWS = {"relative error": relative_error, "rows sum to 1": total_error}
BOUND, BOUND_IN_LANES = ({"relative error": rule, "rows sum to 1": of_the_total(rule)} for rule in (rounding, in_lanes))
