"""The answer in float64, a query's own measure of error, and how far rounding may take it."""

from __future__ import annotations

import math

import numpy as np

from exp_core import Cost
from exp_core.tensor import dtype_name, float_format, gamma, unit_roundoff

EXP_ULP = 4  # units in the last place by which exp may err (Metal Shading Language Specification, table 8.2)
BLOCK = 256  # queries whose scores the oracle keeps at a time


def seen(i, length, keys, causal):
    """How many keys query i sees, from the first one: the last query sees them all."""
    return max(0, min(keys, i + 1 + keys - length)) if causal else keys


def exact(q, k, v, causal):
    """(o, size): the result in float64, and $\\sum_j p_{ij} |v_{je}|$, both (heads, length, dim)."""
    heads, length, dim = q.shape
    groups, keys, _ = k.shape
    o, size = np.zeros(q.shape), np.zeros(q.shape)
    for h in range(heads):
        k_h, v_h = (x[h * groups // heads].astype(np.float64) for x in (k, v))
        for first in range(0, length, BLOCK):
            part = slice(first, min(first + BLOCK, length))
            scores = q[h, part].astype(np.float64) @ k_h.T / math.sqrt(dim)
            visible = [seen(i, length, keys, causal) for i in range(part.start, part.stop)]
            scores[np.arange(keys) >= np.array(visible)[:, None]] = -np.inf
            m = scores.max(axis=1, keepdims=True)
            p = np.exp(scores - np.where(m == -np.inf, 0, m))
            total = p.sum(axis=1, keepdims=True)
            p /= np.where(total == 0, 1, total)
            o[h, part], size[h, part] = p @ v_h, p @ np.abs(v_h)
    return o, size


def error(o, q, k, v, causal, truth):
    """$|\\hat o - o|$ over $\\sum_j p_j |v_j|$, entry by entry: what cancels in the sum over keys is taken out."""
    if np.shape(o) != q.shape or dtype_name(o) != dtype_name(q):
        return math.inf
    right, size = truth
    off = np.abs(np.asarray(o).astype(np.float64) - right) / (size + float_format(q).smallest_normal)
    return float(off.max()) if not np.isnan(off).any() else math.nan


def reach(q, k):
    """No score is larger than $\\|q_i\\| \\|k_j\\| / \\sqrt d$ (Cauchy and Schwarz)."""
    longest = [np.sqrt(np.square(x.astype(np.float64)).sum(axis=-1).max()) for x in (q, k)]
    return longest[0] * longest[1] / math.sqrt(q.shape[-1])


def rounded(q, k, rescalings, of_scores=0.0, roundings=1):
    """Computed in float32: the scores, d products each, move the weights by $e^\\delta$, and so do sums and quotients.

    With R the reach, a score is off by $\\gamma_{d+3} R$ and its distance from the maximum, at most 2R, by u 2R; then
    there are the exponential, the products with rescalings, S additions in the numerator and in the denominator, and
    the quotient.  What is off in a weight counts twice: above and below.
    """
    R = reach(q, k)
    of_weight = gamma(q.shape[-1] + 3, "float32") * R + 4 * unit_roundoff("float32") * R + of_scores * R
    of_weight += gamma(2 * EXP_ULP + rescalings * (2 * EXP_ULP + 1), "float32")
    return math.expm1(2 * of_weight) + gamma(2 * k.shape[1] + 3, "float32") + roundings * unit_roundoff(q)


def bound(q, k, v, causal):
    """The maximum is known before the exponentials are taken."""
    return rounded(q, k, 0)


def online_bound(q, k, v, causal):
    """Every key may bring a new maximum, and everything before it is scaled anew."""
    return rounded(q, k, k.shape[1])


def tiled_bound(tile):
    """Only every tile may."""
    return lambda q, k, v, causal: rounded(q, k, math.ceil(k.shape[1] / tile))


def library_bound(q, k, v, causal):
    """Queries, scores and weights are rounded to the inputs' type, where that is a half."""
    return rounded(q, k, 0, of_scores=3 * unit_roundoff(q), roundings=3)


def pairs(q, k, causal):
    """How many pairs of a query and a key that it sees, in all heads."""
    heads, length, _ = q.shape
    return heads * sum(seen(i, length, k.shape[1], causal) for i in range(length))


def cost(memory, per_pair=5):
    """2d flops a pair for its score and 2d for its value, and some for its weight; memory(q, k) numbers are kept."""

    def of(q, k, v, causal):
        flops = pairs(q, k, causal) * (4 * q.shape[-1] + per_pair)
        return Cost(flops, 2 * q.nbytes + k.nbytes + v.nbytes, 4 * memory(q, k))

    return of


def matrix(copies):
    """Memory: so many arrays of all scores, quadratic in the length, and float32 copies of the inputs."""
    return cost(lambda q, k: copies * q.shape[0] * q.shape[1] * k.shape[1] + 3 * q.size + 3 * k.size * q.shape[0])


def linear(tiles):
    """Memory: the result, the inputs in another order, and tiles of a fixed size."""
    return cost(lambda q, k: 3 * q.size + 4 * k.size + tiles)
