"""Flash attention for the processor: tiles of queries and keys in cache, their products in vector registers.

Keys and values are copied once, into the order in which the tiles read them: keys transposed, a panel as wide as a
tile; values with their rows filled up to whole tiles.  What is filled up is zero, or hidden by a score of $-\\infty$.
Every thread takes whole tiles of queries, early and late ones in turn, since the late see more.
"""

from __future__ import annotations

import math

import numpy as np

from dl_exp.engine.tile import ROWS, columns, full_tile
from dl_exp.sequence._attention_row import soften
from exp_core.compiled import njit, prange
from exp_core.vector.largest import BLOCK

QUERIES = 8 * ROWS  # of a tile: its scores, sums and keys fill a first-level cache
KEYS = BLOCK
WORKSPACE = 2 * QUERIES * (KEYS + 128) * 64  # numbers: the tiles of up to 64 threads, dim up to 128


def numba_compiled(q, k, v, causal):
    """Compiled, in threads: what the tiles in NumPy do, with smaller tiles that never leave the cache."""
    return with_logsum(q, k, v, causal)[0]


def with_logsum(q, k, v, causal):
    """The result and, of shape (heads, length), $\\log \\sum_j e^{s_{ij}}$; infinite where a query sees nothing.

    With that, $p_{ij} = e^{s_{ij} - logsum_i}$ can be had again at any time: 0 where nothing is seen.
    """
    (groups, keys, dim), width = k.shape, columns(q.itemsize)
    whole, wide = -(-keys // KEYS) * KEYS, -(-dim // width) * width
    k_packed = np.empty((groups, whole // width, dim, width), q.dtype)
    v_packed = np.empty((groups, whole, wide), q.dtype)
    o, logsum = np.empty_like(q), np.empty(q.shape[:2], q.dtype)
    _pack(k, v, k_packed, v_packed)
    hidden = keys - q.shape[1] if causal else keys  # query i sees the keys j <= i + hidden
    _attend(q, k_packed, v_packed, o, logsum, keys, hidden, np.float32(1 / math.sqrt(dim)))
    return o, logsum


@njit(parallel=True)
def _pack(k, v, k_packed, v_packed):
    """k_packed[g, panel, e, j] is k[g, panel * width + j, e]; v_packed[g, j, e] is v[g, j, e]; zero beyond."""
    groups, panels, dim, width = k_packed.shape
    for task in prange(groups * panels):
        g, panel = task // panels, task % panels
        first = panel * width
        for j in range(width):
            row = v_packed[g, first + j]
            if first + j < k.shape[1]:
                for e in range(dim):
                    k_packed[g, panel, e, j] = k[g, first + j, e]
                row[:dim] = v[g, first + j]
                row[dim:] = 0
            else:
                k_packed[g, panel, :, j] = 0
                row[:] = 0


@njit(parallel=True)
def _attend(q, k, v, o, logsum, keys, hidden, scale):
    """All tiles of queries of all heads."""
    heads, length, _ = q.shape
    tiles = (length + QUERIES - 1) // QUERIES
    tasks = heads * tiles
    for task in prange(tasks):
        t = task // 2 if task % 2 == 0 else tasks - 1 - task // 2
        h, first = t // tiles, t % tiles * QUERIES
        g, last = h * k.shape[0] // heads, first + QUERIES
        results = o[h, first:last], logsum[h, first:last]
        _tile(q[h, first:last], k[g], v[g], results, keys, first + hidden, scale)


@njit
def _tile(q, k, v, results, keys, hidden, scale):
    """A tile of queries against all keys that any of them sees; its query i sees the keys j <= i + hidden."""
    (rows, dim), width, wide, (o, logsum) = q.shape, k.shape[2], v.shape[1], results
    queries, sums = np.zeros((QUERIES, dim), q.dtype), np.zeros((QUERIES, wide), q.dtype)
    scores = np.empty((QUERIES, KEYS), q.dtype)
    m, total, shrink = np.full(QUERIES, -np.inf, q.dtype), np.zeros(QUERIES, q.dtype), np.zeros(QUERIES, q.dtype)
    for i in range(rows):
        for e in range(dim):
            queries[i, e] = q[i, e] * scale
    high = (rows + ROWS - 1) // ROWS * ROWS
    for j in range(0, min(keys, rows + hidden), KEYS):
        for c in range(0, KEYS, width):
            for r in range(0, high, ROWS):
                full_tile(queries[r : r + ROWS], k[(j + c) // width], scores[r : r + ROWS, c : c + width], False)
        for i in range(rows):
            for beyond in range(max(0, min(keys, i + hidden + 1) - j), KEYS):
                scores[i, beyond] = -np.inf
        soften(scores, sums, m, total, shrink, rows)
        for c in range(0, wide, width):
            values = v[j : j + KEYS, c : c + width]
            for r in range(0, high, ROWS):
                full_tile(scores[r : r + ROWS], values, sums[r : r + ROWS, c : c + width], True)
    for i in range(rows):
        share = q.dtype.type(0) if total[i] == 0 else 1 / total[i]
        logsum[i] = np.inf if total[i] == 0 else m[i] + np.log(total[i])
        for e in range(dim):
            o[i, e] = sums[i, e] * share
