"""The gradients in float64, their own measures of error, and how far rounding may take them."""

from __future__ import annotations

import math

import numpy as np

from dl_exp.sequence import _attention_laws as forwards
from exp_core import Cost
from exp_core.machine import thread_limit
from exp_core.tensor import dtype_name, float_format, gamma, unit_roundoff

BLOCK = 256  # queries whose scores the oracle keeps at a time
VANISHING = 2.0**-126 / 2.0**-24  # of a weight that small, float32 may keep nothing: a processor may flush it to zero


def exact(q, k, v, do, causal):
    """(dq, dk, dv) in float64, and the size of what is added up in each of their entries.

    On one thread: products of such blocks wake others more often than that is worth.
    """
    with thread_limit(1):
        return _exact(q, k, v, do, causal)


def _exact(q, k, v, do, causal):
    heads, length, dim = q.shape
    groups, keys, _ = k.shape
    truth, sizes = ([np.zeros(x.shape) for x in (q, k, v)] for _ in range(2))
    for h in range(heads):
        g = h * groups // heads
        k_g, v_g = k[g].astype(np.float64), v[g].astype(np.float64)
        for first in range(0, length, BLOCK):
            part = slice(first, min(first + BLOCK, length))
            q_h, do_h = q[h, part].astype(np.float64), do[h, part].astype(np.float64)
            p = weights(q_h, k_g, [forwards.seen(i, length, keys, causal) for i in range(part.start, part.stop)])
            dp = do_h @ v_g.T
            ds = p * (dp - (p * dp).sum(axis=1, keepdims=True)) / math.sqrt(dim)
            size = np.abs(do_h) @ np.abs(v_g).T
            size = (p + VANISHING) * (size + (p * size).sum(axis=1, keepdims=True)) / math.sqrt(dim)
            for found, by_scores, by_weights, part_of in (
                (truth, ds, p, np.array),
                (sizes, size, p + VANISHING, np.abs),
            ):
                found[0][h, part] = by_scores @ part_of(k_g)
                found[1][g] += by_scores.T @ part_of(q_h)
                found[2][g] += by_weights.T @ part_of(do_h)
    return tuple(truth), tuple(sizes)


def weights(q, k, visible):
    """$p_{ij}$ of one head: q (length, dim), k (keys, dim), and how many keys each query sees."""
    scores = q @ k.T / math.sqrt(q.shape[1])
    scores[np.arange(len(k)) >= np.array(visible)[:, None]] = -np.inf
    m = scores.max(axis=1, keepdims=True)
    p = np.exp(scores - np.where(m == -np.inf, 0, m))
    total = p.sum(axis=1, keepdims=True)
    return p / np.where(total == 0, 1, total)


def error_of(place):
    """The law of one of the three: |result - truth| over the size of what is added up in it."""

    def error(result, q, k, v, do, causal, truth):
        if not isinstance(result, tuple) or len(result) != 3:
            return math.inf
        found, right, size = result[place], truth[0][place], truth[1][place]
        if np.shape(found) != right.shape or dtype_name(found) != dtype_name(q):
            return math.inf
        off = np.abs(np.asarray(found).astype(np.float64) - right) / (size + float_format(q).smallest_normal)
        return float(off.max()) if not np.isnan(off).any() else math.nan

    return error


def of_weights(q, k):
    """What a weight may be off, in tiles of the smallest kind and with its logarithm rounded, and o with it."""
    R = forwards.reach(q, k)
    return forwards.rounded(q, k, k.shape[1], of_scores=4 * unit_roundoff("float32"), roundings=0) + gamma(R, "float32")


def value_bound(q, k, v, do, causal):
    """A sum over the queries of all heads that share the value."""
    queries = q.shape[1] * q.shape[0] // k.shape[0]
    return of_weights(q, k) + gamma(queries + 1, "float32") + unit_roundoff(q)


def score_bound(q, k, v, do, causal):
    """The weights stand in dS twice, once in $do^T o$; products of d numbers; then sums over keys or queries."""
    terms = max(k.shape[1], q.shape[1] * q.shape[0] // k.shape[0])
    return 3 * of_weights(q, k) + gamma(2 * q.shape[-1] + terms + 8, "float32") + unit_roundoff(q)


LAWS = {"dq": error_of(0), "dk": error_of(1), "dv": error_of(2)}
BOUND = {"dq": score_bound, "dk": score_bound, "dv": value_bound}


def cost(memory):
    """Five products of 2d flops a pair (three without a forward pass kept: 2 more), 9 for its weight."""

    def of(q, k, v, do, causal):
        flops = forwards.pairs(q, k, causal) * (10 * q.shape[-1] + 9)
        return Cost(flops, 3 * q.nbytes + 2 * k.nbytes + 2 * v.nbytes, 4 * memory(q, k))

    return of


def matrix(copies):
    """Memory: so many arrays of all scores."""
    return cost(lambda q, k: copies * q.shape[0] * q.shape[1] * k.shape[1] + 4 * q.size + 6 * k.size * q.shape[0])


def linear(rows, tiles=0):
    """Memory: gradients for every head, so many rows of scores, and tiles of a fixed size."""
    return cost(lambda q, k: 6 * q.size + 4 * k.size * q.shape[0] // k.shape[0] + rows * k.shape[1] + tiles)
