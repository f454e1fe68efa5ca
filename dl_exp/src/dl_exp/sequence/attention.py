"""Attention: a weighted mean of values, and how never to write down the weights.

Problem   $o_i = \\sum_j p_{ij} v_j$ with $p_{ij} = e^{s_{ij}} / \\sum_l e^{s_{il}}$ and $s_{ij} = q_i^T k_j / \\sqrt d$
          in every head; q has shape (heads, length, d), k and v (groups, keys, d): heads / groups neighbouring heads
          share their keys.  Causal: query i sees the keys $j \\le i + \\text{keys} - \\text{length}$, so that the
          last one sees them all.  A query that sees nothing has the empty sum: zero.
Idea      The scores are a matrix of length times keys, written and read several times.  But numerator and denominator
          are two sums over keys, and both can be carried along beside the largest score so far, m: when that grows to
          M, what has been summed shrinks by $e^{m-M}$.  So a tile of queries can meet one tile of keys after the
          other, in cache, and keep nothing but its sums: the memory falls from quadratic to linear.
Look for  Peak memory: $n^2$ for the formula, n for the tiles.  The formula as written overflows on the problem large.
          The tiles do not save a flop, causal ones do: what lies wholly in the future is never begun.
          mx.fast on the CPU is the formula, one operation after the other, its exponentials on one thread; where a
          query sees nothing it returns the mean of all values.
Source    A. Vaswani et al., Attention is all you need, NeurIPS 2017, arXiv:1706.03762.
          M. Milakov, N. Gimelshein, Online normalizer calculation for softmax, arXiv:1805.02867 (2018).
          T. Dao et al., FlashAttention, NeurIPS 2022, arXiv:2205.14135, algorithm 1; T. Dao, FlashAttention-2, ICLR
          2024, arXiv:2307.08691.
          J. Ainslie et al., GQA, EMNLP 2023, arXiv:2305.13245.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from dl_exp.sequence._attention_compiled import KEYS as COMPILED_KEYS
from dl_exp.sequence._attention_compiled import WORKSPACE, numba_compiled
from dl_exp.sequence._attention_kernel import kernel, too_wide
from dl_exp.sequence._attention_laws import (
    bound,
    error,
    exact,
    library_bound,
    linear,
    matrix,
    online_bound,
    seen,
    tiled_bound,
)
from dl_exp.sequence._attention_picture import picture
from dl_exp.sequence._attention_problems import causal, everybody, grouped, large, unseeing
from dl_exp.sequence._attention_tiled import KEYS, QUERIES, tiled
from exp_core import Experiment, Implementation, Problem, Skip


def by_the_formula(q, k, v, causal):
    """Score, exponentiate, add, divide: as the definition says it, query by query."""
    (heads, length, dim), (groups, keys, _) = q.shape, k.shape
    o = np.zeros(q.shape, q.dtype)
    root = np.float32(math.sqrt(dim))
    q, k, v = (x.astype(np.float32) for x in (q, k, v))
    for h in range(heads):
        g = h * groups // heads
        for i in range(length):
            visible = range(seen(i, length, keys, causal))
            powers = [np.exp(sum(q[h, i, e] * k[g, j, e] for e in range(dim)) / root) for j in visible]
            total = sum(powers)
            for e in range(dim):
                o[h, i, e] = sum(powers[j] * v[g, j, e] for j in visible) / total if powers else 0
    return o


def online(q, k, v, causal):
    """One key after the other, nothing kept but three sums: when the maximum grows, they shrink."""
    (heads, length, dim), (groups, keys, _) = q.shape, k.shape
    o = np.zeros(q.shape, q.dtype)
    root = np.float32(math.sqrt(dim))
    q, k, v = (x.astype(np.float32) for x in (q, k, v))
    for h in range(heads):
        g = h * groups // heads
        for i in range(length):
            m, total, sums = np.float32(-np.inf), np.float32(0), [np.float32(0)] * dim
            for j in range(seen(i, length, keys, causal)):
                score = sum(q[h, i, e] * k[g, j, e] for e in range(dim)) / root
                larger = max(m, score)
                shrink, weight = np.exp(m - larger), np.exp(score - larger)
                total = total * shrink + weight
                sums = [sums[e] * shrink + weight * v[g, j, e] for e in range(dim)]
                m = larger
            o[h, i] = [each / total if total else 0 for each in sums]
    return o


def vectorised(q, k, v, causal):
    """Whole matrices of scores on the device, shifted by their maximum: written and read several times."""
    import mlx.core as mx

    (heads, length, dim), (groups, keys, _), dtype = q.shape, k.shape, q.dtype
    q, k, v = (x.astype(mx.float32) for x in (q, k, v))
    q = q.reshape(groups, heads // groups, length, dim) / math.sqrt(dim)
    scores = q @ k[:, None].swapaxes(-1, -2)  # (groups, heads of a group, length, keys)
    if causal:
        hidden = mx.arange(keys)[None, :] > mx.arange(length)[:, None] + (keys - length)
        scores = mx.where(hidden, -math.inf, scores)
    m = mx.max(scores, axis=-1, keepdims=True)
    powers = mx.exp(scores - mx.where(m == -math.inf, 0.0, m))
    total = mx.sum(powers, axis=-1, keepdims=True)
    o = (powers @ v[:, None]) / mx.where(total == 0, 1.0, total)
    return o.reshape(heads, length, dim).astype(dtype)


def library(q, k, v, causal):
    """mx.fast.scaled_dot_product_attention: a fused kernel on a GPU, single operations on the CPU."""
    import mlx.core as mx

    mask = "causal" if causal else None
    return mx.fast.scaled_dot_product_attention(q[None], k[None], v[None], scale=q.shape[-1] ** -0.5, mask=mask)[0]


def compiled(q, k, v, causal):
    """The same graph, its elementwise operations fused by mx.compile."""
    return _compiled_once(causal)(q, k, v)


@functools.cache
def _compiled_once(causal):
    import mlx.core as mx

    return mx.compile(lambda q, k, v: vectorised(q, k, v, causal))


def where_nothing_is_seen(q, k, v, causal):
    """MLX hides a key by the lowest score that there is, so that of nothing but hidden keys all count the same."""
    if causal and k.shape[1] < q.shape[1]:
        return Skip(
            "mx.fast gives a query that sees no key the mean of all values", "choose --keys no less than --length"
        )
    return None


OVERFLOWS = {"large": "exp overflows float32 above 88.7"}
SMALL = {"heads": 2, "length": 12, "dim": 8}
AWKWARD = (
    {"heads": 1, "length": 1, "dim": 1},
    {"heads": 3, "length": 7, "dim": 5},
    {"heads": 2, "length": 131, "dim": 24},
)
GROUPED = ({"heads": 1, "groups": 1, "length": 1, "dim": 1}, {"heads": 6, "groups": 3, "length": 67, "dim": 9})
UNSEEING = (
    {"heads": 1, "length": 2, "keys": 1, "dim": 1},
    {"heads": 2, "length": 150, "keys": 37, "dim": 7},
    {"heads": 2, "length": 5, "keys": 70, "dim": 3},
)

EXPERIMENT = Experiment(
    problems=(
        Problem(everybody, small=SMALL, awkward=AWKWARD),
        Problem(causal, small=SMALL, awkward=AWKWARD),
        Problem(grouped, small=SMALL, awkward=GROUPED),
        Problem(large, kind="hard", small=SMALL, awkward=AWKWARD),
        Problem(unseeing, kind="hard", small=SMALL | {"keys": 9}, awkward=UNSEEING),
    ),
    dtypes=("float32", "float16", "bfloat16"),
    oracle=exact,
    laws={"error": error},
    implementations=(
        Implementation(by_the_formula, "textbook", cost=linear(0), bound=bound, unstable=OVERFLOWS),
        Implementation(online, "textbook", cost=linear(0), bound=online_bound),
        Implementation(tiled, "vectorised", cost=linear(8 * QUERIES * KEYS), bound=tiled_bound(KEYS)),
        Implementation(vectorised, "vectorised", cost=matrix(4), bound=bound, arrays="mlx"),
        Implementation(compiled, "compiled", cost=matrix(3), bound=bound, arrays="mlx"),
        Implementation(
            numba_compiled,
            "compiled",
            cost=linear(WORKSPACE),
            bound=tiled_bound(COMPILED_KEYS),
            dtypes=("float32",),
        ),
        Implementation(
            kernel,
            "kernel",
            cost=linear(0),
            bound=tiled_bound(32),
            arrays="mlx",
            devices=("metal", "cuda"),
            skip=too_wide,
        ),
        Implementation(
            library,
            "library",
            cost=matrix(3),
            bound=library_bound,
            arrays="mlx",
            skip=where_nothing_is_seen,
        ),
    ),
    picture=picture,
)
