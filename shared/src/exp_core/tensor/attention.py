"""Scaled dot-product attention by its definition, and rotary positions.

Float64, float32, float16 or bfloat16; halves are computed in float32 throughout and rounded once, at the end.
"""

from __future__ import annotations

import math
from typing import cast

import numpy as np

from exp_core.tensor.convert import Arrays, from_numpy, in_dtype, rounded, widened
from exp_core.tensor.dtypes import dtype_name
from exp_core.tensor.namespaces import A, Array, Work, is_mlx, namespace
from exp_core.tensor.special import exp


@np.errstate(all="ignore")
def scaled_dot_product_attention(
    q: A, k: A, v: A, *, mask: Array | None = None, causal: bool = False, scale: float | None = None
) -> A:
    """$\\mathrm{softmax}(s \\, Q K^T + M) \\, V$, over the keys; $s = 1/\\sqrt d$ unless given.

    q        (..., H, L, d): H heads of L queries.
    k, v     (..., G, S, d) and (..., G, S, e): S keys; each of the G groups serves H/G heads in a row (grouped
             queries). Without heads, (L, d), (S, d) and (S, e).
    mask     broadcast to (..., H, L, S): boolean, true where a query may see a key, or floats that are added to the
             scores.
    causal   query i sees the keys $j \\le i + S - L$: the last query sees them all, as with a cache of earlier keys.
    result   (..., H, L, e), in the element type of q.  A query that may see no key at all gets zeros.
    Raises   ValueError for shapes that do not fit.
    Rejected: normalising the weights before the product; dividing its result takes e divisions a query, not S.
    Source: Vaswani et al., Attention is all you need, NeurIPS 2017; Ainslie et al., GQA, EMNLP 2023.
    """
    xp = namespace(q, k, v)
    _check(q, k, v)
    queries, keys, values = widened(q, k, v), widened(k, q, v), widened(v, q, k)
    if q.ndim > 2 and k.shape[-3] != q.shape[-3]:
        keys, values = (xp.repeat(x, q.shape[-3] // k.shape[-3], axis=-3) for x in (keys, values))
    if 0 in (*q.shape[:-1], *k.shape[:-1], *v.shape[-1:]):
        return rounded(xp.zeros((*q.shape[:-1], v.shape[-1]), queries.dtype), like=q)
    scale = 1 / math.sqrt(max(q.shape[-1], 1)) if scale is None else scale
    scores = (scale * queries) @ xp.swapaxes(keys, -1, -2)  # (..., H, L, S)
    if mask is not None:
        namespace(q, mask)
        if dtype_name(mask) == "bool":
            scores = xp.where(cast("Work", mask), scores, -xp.inf)
        else:
            scores = scores + in_dtype(mask, dtype_name(scores))
    if causal:
        rows, columns = q.shape[-2], k.shape[-2]
        i, j = xp.arange(rows)[:, None], xp.arange(columns)[None, :]
        scores = xp.where(j <= i + (columns - rows), scores, -xp.inf)
    m = xp.max(scores, axis=-1, keepdims=True)
    weights = exp(scores - xp.where(m == -xp.inf, 0.0, m))
    total = xp.sum(weights, axis=-1, keepdims=True)
    return rounded((weights @ values) / xp.where(total == 0, 1.0, total), like=q)


@np.errstate(all="ignore")
def rotary_embedding(x: A, *, offset: int = 0, base: float = 10000.0, traditional: bool = False) -> A:
    """Rotate pair i of the vector at position p by the angle $p \\, b^{-2i/d}$.

    x            (..., L, d), d even; the vector at index l has position l + offset.
    traditional  pairs are (0, 1), (2, 3), ..., as in the paper; else (i, i + d/2), as in Llama.
    Raises       ValueError if d is odd or x has fewer than two dimensions.
    The cosines come from angles in float64.  Rejected: angles in float32, off by $pu$, 0.06 at position a million.
    Source: Su et al., RoFormer, Neurocomputing 568 (2024), 127063, eq. 15.
    """
    if x.ndim < 2 or x.shape[-1] % 2:
        raise ValueError(f"rotary positions need shape (..., L, d) with an even d, not {x.shape}")
    length, d = x.shape[-2:]
    xp, w = namespace(x), widened(x)
    angles = np.arange(offset, offset + length)[:, None] * base ** (-np.arange(0, d, 2) / max(d, 1))  # (L, d/2)
    library: Arrays = "mlx" if is_mlx(x) else "numpy"
    cos, sin = (cast("Work", from_numpy(f(angles), library, dtype_name(w))) for f in (np.cos, np.sin))
    if traditional:
        pairs = w.reshape((*x.shape[:-1], d // 2, 2))
        a, b = pairs[..., 0], pairs[..., 1]
        return rounded(xp.stack([a * cos - b * sin, a * sin + b * cos], axis=-1).reshape(x.shape), like=x)
    a, b = w[..., : d // 2], w[..., d // 2 :]
    return rounded(xp.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1), like=x)


def _check(q: Array, k: Array, v: Array) -> None:
    fits = q.ndim == k.ndim == v.ndim >= 2 and q.shape[-1] == k.shape[-1] and k.shape[:-1] == v.shape[:-1]
    if fits and q.ndim > 2:
        fits = q.shape[:-3] == k.shape[:-3] and k.shape[-3] > 0 and q.shape[-3] % k.shape[-3] == 0
    if not fits:
        form = "(..., H, L, d), (..., G, S, d), (..., G, S, e)"
        raise ValueError(f"queries {q.shape}, keys {k.shape} and values {v.shape} do not fit {form}")
