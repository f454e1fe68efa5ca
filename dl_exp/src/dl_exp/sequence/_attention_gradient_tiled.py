"""The gradient of attention in NumPy: the weights of a tile of queries are made again, used, and forgotten."""

from __future__ import annotations

import math

import numpy as np

from dl_exp.sequence._attention_gradient_laws import weights
from dl_exp.sequence._attention_laws import seen

QUERIES = 128  # of a tile


def tiled(q, k, v, do, causal):
    """A tile of queries at a time: its rows of the weights are computed again, never all of them."""
    (heads, length, dim), (groups, keys, _) = q.shape, k.shape
    dq, dk, dv = np.zeros(q.shape, q.dtype), np.zeros(k.shape, np.float32), np.zeros(v.shape, np.float32)
    for h in range(heads):
        g = h * groups // heads
        k_g, v_g = k[g].astype(np.float32), v[g].astype(np.float32)
        for first in range(0, length, QUERIES):
            part = slice(first, min(first + QUERIES, length))
            q_h, do_h = q[h, part].astype(np.float32), do[h, part].astype(np.float32)
            p = weights(q_h, k_g, [seen(i, length, keys, causal) for i in range(part.start, part.stop)])
            dp = do_h @ v_g.T
            ds = p * (dp - (p * dp).sum(axis=1, keepdims=True)) / np.float32(math.sqrt(dim))
            dq[h, part] = ds @ k_g
            dk[g] += ds.T @ q_h
            dv[g] += p.T @ do_h
    return dq, dk.astype(q.dtype), dv.astype(q.dtype)
