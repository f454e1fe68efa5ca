"""Flash attention backwards for the processor: five products a pair of tiles, in cache, nothing kept but sums.

Every head is one thread's, and has gradients of its own for keys and values that it shares: they are added at the end.
Source: T. Dao, FlashAttention-2, ICLR 2024, algorithm 2.
"""

from __future__ import annotations

import math

import numpy as np

from dl_exp.engine.product import K_BLOCK, product
from dl_exp.engine.tile import columns
from dl_exp.sequence._attention_compiled import with_logsum
from exp_core.compiled import REORDER, njit, prange
from exp_core.vector import exp

QUERIES, KEYS = 96, 64  # of a tile: a multiple of a register tile's rows, and of its columns
WORKSPACE = (3 * QUERIES * KEYS + K_BLOCK * KEYS) * 64  # numbers: the tiles of up to 64 threads


def numba_compiled(q, k, v, do, causal):
    """Compiled, in threads: forwards once more for the sums of the weights, then tile by tile backwards."""
    (heads, length, dim), (groups, keys, _) = q.shape, k.shape
    o, logsum = with_logsum(q, k, v, causal)
    dq, dk, dv = np.zeros_like(q), np.zeros((heads, keys, dim), q.dtype), np.zeros((heads, keys, dim), q.dtype)
    hidden = keys - length if causal else keys  # query i sees the keys j <= i + hidden
    _backwards(q, k, v, o, do, logsum, (dq, dk, dv), hidden, np.float32(1 / math.sqrt(dim)), columns(q.itemsize))
    shared = groups, heads // groups, keys, dim
    return dq, dk.reshape(shared).sum(axis=1), dv.reshape(shared).sum(axis=1)


@njit(parallel=True)
def _backwards(q, k, v, o, do, logsum, gradients, hidden, scale, width):
    """All heads."""
    dq, dk, dv = gradients
    heads, share = q.shape[0], q.shape[0] // k.shape[0]
    for h in prange(heads):
        g = h // share
        along = (do[h] * o[h]).sum(axis=1)  # do^T o, what the weights' sum to one sends back
        _head(q[h], k[g], v[g], do[h], logsum[h], along, (dq[h], dk[h], dv[h]), hidden, scale, width)


@njit
def _head(q, k, v, do, logsum, along, gradients, hidden, scale, width):
    """Every tile of keys meets every tile of queries that sees any of it."""
    (length, _), keys, (dq, dk, dv) = q.shape, k.shape[0], gradients
    p, ds = np.empty((QUERIES, KEYS), q.dtype), np.empty((QUERIES, KEYS), q.dtype)
    panel = np.empty((K_BLOCK, width), q.dtype)
    for j in range(0, keys, KEYS):
        k_j, v_j = k[j : j + KEYS], v[j : j + KEYS]
        for i in range(max(0, j - hidden) // QUERIES * QUERIES, length, QUERIES):
            q_i, do_i = q[i : i + QUERIES], do[i : i + QUERIES]
            p_ij, ds_ij = p[: len(q_i), : len(k_j)], ds[: len(q_i), : len(k_j)]
            product(q_i, k_j.T, p_ij, False, panel)
            product(do_i, v_j.T, ds_ij, False, panel)
            for r in range(len(q_i)):
                visible = max(0, min(len(k_j), i + r + hidden + 1 - j))
                _row(p_ij[r], ds_ij[r], logsum[i + r], along[i + r], scale, visible)
            product(p_ij.T, do_i, dv[j : j + KEYS], True, panel)
            product(ds_ij.T, q_i, dk[j : j + KEYS], True, panel)
            product(ds_ij, k_j, dq[i : i + QUERIES], True, panel)


@njit(fastmath=REORDER)
def _row(p, ds, logsum, along, scale, visible):
    """p comes as scores, ds as the gradient by p; both in place.  What is hidden is zero."""
    for j in range(p.size):
        p[j] = exp(p[j] * scale - logsum)
    for j in range(visible, p.size):
        p[j] = 0
        ds[j] = along
    for j in range(p.size):
        ds[j] = p[j] * (ds[j] - along) * scale
