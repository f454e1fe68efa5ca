"""The gradient of attention: five products, and weights that are cheaper to make again than to keep.

Problem   $o = P v$ with $P = \\mathrm{softmax}(q k^T / \\sqrt d)$ in every head, as in attention, masks and groups
          included.  Given q, k, v and do, the gradient of a loss by o, of the shape of q: the gradients dq, dk, dv.
Idea      $dv = P^T do$.  $dP = do \\, v^T$ goes back through the softmax as $dS = P \\circ (dP - D)$, where
          $D_i = \\sum_j P_{ij} dP_{ij} = do_i^T o_i$ is a number a query.  $dq = dS \\, k / \\sqrt d$ and
          $dk = dS^T q / \\sqrt d$.  Nobody needs to have kept P: with one more number a query,
          $l_i = \\log \\sum_j e^{s_{ij}}$, any tile of it can be made again: $P_{ij} = e^{s_{ij} - l_i}$.
Look for  A tape keeps the weights of every layer until the way back: $n^2$ numbers a head.  The tiles do the product
          $q k^T$ twice, 20% more flops than the tape, and need no more than the sums.
          mx.fast has no kernel for the way back on the CPU: its gradient is a tape of single operations.
Source    T. Dao et al., FlashAttention, NeurIPS 2022, arXiv:2205.14135, appendix B.2; T. Dao, FlashAttention-2, ICLR
          2024, arXiv:2307.08691, algorithm 2.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from dl_exp.sequence import _attention_problems as problems
from dl_exp.sequence._attention_gradient_compiled import WORKSPACE, numba_compiled
from dl_exp.sequence._attention_gradient_kernel import kernel, too_wide
from dl_exp.sequence._attention_gradient_laws import BOUND, LAWS, exact, linear, matrix
from dl_exp.sequence._attention_gradient_picture import picture
from dl_exp.sequence._attention_gradient_tiled import QUERIES, tiled
from dl_exp.sequence._attention_laws import seen
from dl_exp.sequence._attention_problems import Dim, Heads, Length
from exp_core import Experiment, Implementation, Problem, Skip
from exp_core.tensor import normal


def by_the_formula(q, k, v, do, causal):
    """Query by query: its weights, what comes back to them, and what they hand on."""
    (heads, length, dim), (groups, keys, _), dtype = q.shape, k.shape, q.dtype
    q, k, v, do = (x.astype(np.float32) for x in (q, k, v, do))
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    root = np.float32(math.sqrt(dim))
    for h in range(heads):
        g = h * groups // heads
        for i in range(length):
            visible = range(seen(i, length, keys, causal))
            scores = [sum(q[h, i, e] * k[g, j, e] for e in range(dim)) / root for j in visible]
            powers = [np.exp(score - max(scores)) for score in scores]
            total = sum(powers)
            p = [power / total for power in powers]
            dp = [sum(do[h, i, e] * v[g, j, e] for e in range(dim)) for j in visible]
            D = sum(p[j] * dp[j] for j in visible)
            for j in visible:
                ds = p[j] * (dp[j] - D) / root
                for e in range(dim):
                    dq[h, i, e] += ds * k[g, j, e]
                    dk[g, j, e] += ds * q[h, i, e]
                    dv[g, j, e] += p[j] * do[h, i, e]
    return dq.astype(dtype), dk.astype(dtype), dv.astype(dtype)


def tape(q, k, v, do, causal):
    """mx.vjp of the formula forwards, every operation by its own way back: all weights are kept."""
    import mlx.core as mx

    from dl_exp.sequence.attention import vectorised as forwards

    wide = [x.astype(mx.float32) for x in (q, k, v)]
    gradients = mx.vjp(lambda q, k, v: forwards(q, k, v, causal), wide, [do.astype(mx.float32)])[1]
    return tuple(each.astype(q.dtype) for each in gradients)


def vectorised(q, k, v, do, causal):
    """Whole matrices on the device, by the formula."""
    import mlx.core as mx

    (heads, length, dim), (groups, keys, _), dtype = q.shape, k.shape, q.dtype
    q, k, v, do = (x.astype(mx.float32) for x in (q, k, v, do))
    q, do = (x.reshape(groups, heads // groups, length, dim) for x in (q, do))
    k, v = k[:, None], v[:, None]
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(dim)  # (groups, heads of a group, length, keys)
    if causal:
        hidden = mx.arange(keys)[None, :] > mx.arange(length)[:, None] + (keys - length)
        scores = mx.where(hidden, -math.inf, scores)
    m = mx.max(scores, axis=-1, keepdims=True)
    powers = mx.exp(scores - mx.where(m == -math.inf, 0.0, m))
    total = mx.sum(powers, axis=-1, keepdims=True)
    p = powers / mx.where(total == 0, 1.0, total)
    dp = do @ v.swapaxes(-1, -2)
    ds = p * (dp - mx.sum(p * dp, axis=-1, keepdims=True)) / math.sqrt(dim)
    dq = (ds @ k).reshape(heads, length, dim)
    dk, dv = mx.sum(ds.swapaxes(-1, -2) @ q, axis=1), mx.sum(p.swapaxes(-1, -2) @ do, axis=1)
    return dq.astype(dtype), dk.astype(dtype), dv.astype(dtype)


def compiled(q, k, v, do, causal):
    """The same graph, its elementwise operations fused by mx.compile."""
    return _compiled_once(causal)(q, k, v, do)


@functools.cache
def _compiled_once(causal):
    import mlx.core as mx

    return mx.compile(lambda q, k, v, do: vectorised(q, k, v, do, causal))


def library(q, k, v, do, causal):
    """mx.vjp of mx.fast.scaled_dot_product_attention."""
    import mlx.core as mx

    def forwards(q, k, v):
        mask = "causal" if causal else None
        return mx.fast.scaled_dot_product_attention(q[None], k[None], v[None], scale=q.shape[-1] ** -0.5, mask=mask)[0]

    return tuple(mx.vjp(forwards, [q, k, v], [do])[1])


def where_nothing_is_seen(q, k, v, do, causal):
    """MLX hides a key by the lowest score that there is, so that of nothing but hidden keys all count the same."""
    if causal and k.shape[1] < q.shape[1]:
        return Skip(
            "mx.fast gives a query that sees no key the mean of all values", "choose --keys no less than --length"
        )
    return None


def causal(heads: Heads = 8, length: Length = 1024, dim: Dim = 64, *, dtype, rng):
    """A query sees the keys up to its own."""
    return with_gradient(problems.causal(heads, length, dim, dtype=dtype, rng=rng), dtype, rng)


def everybody(heads: Heads = 8, length: Length = 1024, dim: Dim = 64, *, dtype, rng):
    """Every query sees every key."""
    return with_gradient(problems.everybody(heads, length, dim, dtype=dtype, rng=rng), dtype, rng)


def grouped(heads: Heads = 8, groups: problems.Groups = 2, length: Length = 1024, dim: Dim = 64, *, dtype, rng):
    """Causal, and neighbouring heads share their keys and values: their gradients add up."""
    return with_gradient(problems.grouped(heads, groups, length, dim, dtype=dtype, rng=rng), dtype, rng)


def large(heads: Heads = 8, length: Length = 1024, dim: Dim = 64, *, dtype, rng):
    """Scores of some hundreds: nearly all weights are zero, and with them what goes back."""
    return with_gradient(problems.large(heads, length, dim, dtype=dtype, rng=rng), dtype, rng)


def unseeing(heads: Heads = 8, length: Length = 1024, keys: problems.Keys = 1000, dim: Dim = 64, *, dtype, rng):
    """Causal with fewer keys than queries: a query that sees nothing sends nothing back."""
    return with_gradient(problems.unseeing(heads, length, keys, dim, dtype=dtype, rng=rng), dtype, rng)


def with_gradient(inputs, dtype, rng):
    """(q, k, v, do, causal)."""
    q, k, v, causal = inputs
    return q, k, v, normal(rng, q.shape, dtype), causal


SMALL = {"heads": 2, "length": 12, "dim": 8}
AWKWARD = (
    {"heads": 1, "length": 1, "dim": 1},
    {"heads": 3, "length": 7, "dim": 5},
    {"heads": 1, "length": 131, "dim": 24},
)
GROUPED = ({"heads": 1, "groups": 1, "length": 1, "dim": 1}, {"heads": 6, "groups": 3, "length": 37, "dim": 9})
UNSEEING = ({"heads": 2, "length": 50, "keys": 37, "dim": 7}, {"heads": 2, "length": 5, "keys": 70, "dim": 3})

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
    laws=LAWS,
    implementations=(
        Implementation(by_the_formula, "textbook", cost=linear(0), bound=BOUND),
        Implementation(tiled, "vectorised", cost=linear(8 * QUERIES), bound=BOUND),
        Implementation(tape, "vectorised", cost=matrix(9), bound=BOUND, arrays="mlx"),
        Implementation(vectorised, "vectorised", cost=matrix(6), bound=BOUND, arrays="mlx"),
        Implementation(compiled, "compiled", cost=matrix(5), bound=BOUND, arrays="mlx"),
        Implementation(numba_compiled, "compiled", cost=linear(0, WORKSPACE), bound=BOUND, dtypes=("float32",)),
        Implementation(
            kernel, "kernel", cost=linear(0), bound=BOUND, arrays="mlx", devices=("metal", "cuda"), skip=too_wide
        ),
        Implementation(
            library,
            "library",
            cost=matrix(6),
            bound=BOUND,
            arrays="mlx",
            skip=where_nothing_is_seen,
            dtypes=("float32",),
        ),
    ),
    picture=picture,
)
