"""Flash attention in NumPy: a tile of queries meets one tile of keys after the other; no score outlives its tile."""

from __future__ import annotations

import math

import numpy as np

QUERIES, KEYS = 128, 128  # of a tile


def tiled(q, k, v, causal):
    """The online form with tiles for numbers: two matrix products and one rescaling a tile; memory is linear."""
    (heads, length, dim), (groups, keys, _) = q.shape, k.shape
    o = np.empty(q.shape, q.dtype)
    for h in range(heads):
        k_h, v_h = (x[h * groups // heads].astype(np.float32) for x in (k, v))
        for first in range(0, length, QUERIES):
            queries = q[h, first : first + QUERIES].astype(np.float32) / np.float32(math.sqrt(dim))
            i = np.arange(first, first + len(queries))[:, None]
            m = np.full((len(queries), 1), -np.inf, np.float32)
            total, sums = np.zeros_like(m), np.zeros_like(queries)
            last = min(keys, first + len(queries) + keys - length) if causal else keys  # keys that any of these sees
            for j0 in range(0, last, KEYS):
                scores = queries @ k_h[j0 : j0 + KEYS].T
                if causal:
                    j = np.arange(j0, j0 + scores.shape[1])
                    scores[j > i + keys - length] = -np.inf
                larger = np.maximum(m, scores.max(axis=1, keepdims=True))
                shift = np.where(larger == -np.inf, 0, larger)  # a query that has seen nothing yet
                weights, shrink = np.exp(scores - shift), np.exp(m - shift)
                total = total * shrink + weights.sum(axis=1, keepdims=True)
                sums = sums * shrink + weights @ v_h[j0 : j0 + KEYS]
                m = larger
            o[h, first : first + QUERIES] = sums / np.where(total == 0, 1, total)
    return o
