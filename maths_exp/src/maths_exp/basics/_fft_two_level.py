"""A transform of length n = n1 n2 as n2 short ones of length n1, weights, and n1 short ones of length n2.

With j = n2 j1 + j2 and k = k1 + n1 k2 the sum over j falls into three steps:
    c[k1, j2] = sum_{j1} w_{n1}^{j1 k1} x[n2 j1 + j2]          columns: neighbours j2 side by side, eight to a row
    d[k1, j2] = w_n^{j2 k1} c[k1, j2]                           weights; and the rows become lanes
    y[k1 + n1 k2] = sum_{j2} w_{n2}^{j2 k2} d[k1, j2]          rows: now neighbours k1 side by side
Eight short transforms and their room to work fit into the first or second cache, so that memory is crossed twice and
not log n times; and no step asks a lane for its neighbour: every load and store is a whole row.
Source: D. H. Bailey, FFTs in external or hierarchical memory, J. Supercomputing 4 (1990), 23-35 (the "four-step" FFT).
"""

from __future__ import annotations

import numpy as np

from exp_core.aligned import aligned
from exp_core.compiled import njit, prange
from maths_exp.basics._fft_exact import roots
from maths_exp.basics._fft_lanes import LANES, ROW
from maths_exp.basics._fft_moves import load, splat, store, transposed
from maths_exp.basics._fft_passes import radices, transform
from maths_exp.basics._fft_stockham import stockham_radix4

SHORTEST = LANES * LANES  # n1 and n2 are multiples of the lanes
SHARED = 2**16  # numbers from which on it pays to wake other threads
STREAMED = 2**22  # bytes of a result that is not worth a place in the caches
BLOCKS = 3  # blocks of rows that one thread works on: two to pass between, one for the finished columns


@njit(forceinline=True)
def weighted(work, c, w, t, fan, k):
    """Row k of the columns times w_n^(j2 k1): the weight of the block's first column, times those within the block."""
    return load(work, c + ROW * k) * (splat(w, t + k) * load(fan, ROW * k))


@njit
def columns(x, x0, k1, k2, block, w, t, fan, middle, work):
    """Eight columns: transform, weigh, and transpose tiles of 8 x 8 into the rows' order."""
    n1, n2 = 1 << k1, 1 << k2
    size = ROW * n1
    c = 2 * size
    transform(x, x0 + LANES * block, n2, work, c, ROW, k1, w, 0, work, 0, size, False)
    t += block * n1
    for k in range(0, n1, LANES):
        tile = transposed(
            (
                weighted(work, c, w, t, fan, k),
                weighted(work, c, w, t, fan, k + 1),
                weighted(work, c, w, t, fan, k + 2),
                weighted(work, c, w, t, fan, k + 3),
                weighted(work, c, w, t, fan, k + 4),
                weighted(work, c, w, t, fan, k + 5),
                weighted(work, c, w, t, fan, k + 6),
                weighted(work, c, w, t, fan, k + 7),
            )
        )
        d = n2 * ROW * (k // LANES) + LANES * ROW * block
        store(middle, d, tile[0])
        store(middle, d + ROW, tile[1])
        store(middle, d + 2 * ROW, tile[2])
        store(middle, d + 3 * ROW, tile[3])
        store(middle, d + 4 * ROW, tile[4])
        store(middle, d + 5 * ROW, tile[5])
        store(middle, d + 6 * ROW, tile[6])
        store(middle, d + 7 * ROW, tile[7])


@njit
def rows(middle, y, y0, k1, k2, block, w, k0, work, streaming):
    """Eight rows: transform straight into the result."""
    n1, size = 1 << k1, ROW << k1
    transform(middle, block * (ROW << k2), ROW, y, y0 + LANES * block, n1, k2, w, k0, work, 0, size, streaming)


@njit
def in_turn(first, last, part, x, y, k1, k2, k0, t, w, fan, middle, work, streaming):
    """The signals first, ..., last - 1, one after the other, in the room of one thread."""
    for signal in range(first, last):
        start = signal << (k1 + k2)
        for block in range((1 << k2) // LANES):
            columns(x, start, k1, k2, block, w, t, fan, middle[part], work[part])
        for block in range((1 << k1) // LANES):
            rows(middle[part], y, start, k1, k2, block, w, k0, work[part], streaming)


@njit(parallel=True)
def shared(step, batch, x, y, k1, k2, k0, t, w, fan, middle, work, streaming):
    """Among threads: step 0 shares out whole signals; of a single signal, step 1 the columns and step 2 the rows."""
    parts = work.shape[0]
    for part in prange(parts):
        if step == 0:
            first, last = batch * part // parts, batch * (part + 1) // parts
            in_turn(first, last, part, x, y, k1, k2, k0, t, w, fan, middle, work, streaming)
        elif step == 1:
            blocks = (1 << k2) // LANES
            for block in range(blocks * part // parts, blocks * (part + 1) // parts):
                columns(x, 0, k1, k2, block, w, t, fan, middle[0], work[part])
        else:
            blocks = (1 << k1) // LANES
            for block in range(blocks * part // parts, blocks * (part + 1) // parts):
                rows(middle[0], y, 0, k1, k2, block, w, k0, work[part], streaming)


def short_weights(k, dtype):
    """The weights of the passes of one short transform, in the order in which they are used; the last pass has none."""
    m, weights = 1 << k, [np.empty(0, dtype)]
    for r in radices(k)[:-1]:
        m //= r
        weights.append(roots(r * m, dtype, np.outer(np.arange(m), np.arange(1, r))).ravel())
    return np.concatenate(weights)


def lanes_plan(x):
    """What a user keeps between calls for signals of one length: the weights, and room to work in, for each thread."""
    import numba

    batch, n = x.shape
    if n < SHORTEST:
        return (roots(n, x.dtype),)
    k2 = (n.bit_length() - 1) // 2
    k1 = n.bit_length() - 1 - k2
    n1, n2 = 1 << k1, 1 << k2
    parts = numba.get_num_threads() if x.size >= SHARED else 1
    first, second = short_weights(k1, x.dtype), short_weights(k2, x.dtype)
    blocks = roots(n // LANES, x.dtype, np.outer(np.arange(n2 // LANES), np.arange(n1))).ravel()
    within = roots(n, x.dtype, np.outer(np.arange(n1), np.arange(LANES)))
    w = np.concatenate([first, second, blocks])
    fan = aligned((ROW * n1,), x.real.dtype)
    fan[:] = np.concatenate([within.real, within.imag], axis=1).ravel()
    middle = aligned((parts if batch > 1 else 1, 2 * n), fan.dtype)
    work = aligned((parts, BLOCKS * ROW * n1), fan.dtype)
    return k1, k2, first.size, first.size + second.size, w, fan, middle, work


def stockham_lanes(x, plan=None):
    """Short enough for the caches and eight side by side: n = n1 n2, columns first, then rows, in vectors and threads.

    ``plan`` is what ``lanes_plan(x)`` returned, as SciPy keeps its own plans from call to call.
    """
    plan = plan or lanes_plan(x)
    batch, n = x.shape
    if n < SHORTEST:
        return stockham_radix4(x, *plan)
    streaming = x.nbytes >= STREAMED
    y = aligned(x.shape, x.dtype) if streaming else np.empty(x.shape, x.dtype)
    flat_x, flat_y = x.reshape(-1), y.reshape(-1)
    if len(plan[-1]) == 1:
        in_turn(0, batch, 0, flat_x, flat_y, *plan, streaming)
    else:
        for step in (0,) if batch > 1 else (1, 2):
            shared(step, batch, flat_x, flat_y, *plan, streaming)
    return y
