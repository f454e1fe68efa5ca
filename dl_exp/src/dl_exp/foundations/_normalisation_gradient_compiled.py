"""The gradient of normalisation on the processor: rows in cache, and a dw and db of its own for each part of them."""

from __future__ import annotations

import numpy as np

from dl_exp.foundations._normalisation_bounds import EPS
from exp_core.compiled import REORDER, njit, prange

PARTS = 8  # of the rows: as many as there may be, so that the number of threads changes no bit


def numba_compiled(x, w, dy, kind):
    """Compiled, in threads: three readings of a row while it is in cache, sums down the rows beside them."""
    dx, of_w, of_b = np.empty_like(x), np.zeros((PARTS, w.size), x.dtype), np.zeros((PARTS, w.size), x.dtype)
    _parts(x, w, dy, dx, of_w, of_b, kind != "rms", np.float32(EPS))
    return dx, of_w.sum(axis=0), of_b.sum(axis=0)


@njit(parallel=True)
def _parts(x, w, dy, dx, of_w, of_b, centred, eps):
    """Each part of the rows in one thread."""
    rows = x.shape[0]
    for p in prange(PARTS):
        for i in range(rows * p // PARTS, rows * (p + 1) // PARTS):
            _row(x[i], w, dy[i], dx[i], of_w[p], of_b[p], centred, eps)


@njit(fastmath=REORDER)
def _row(x, w, dy, dx, dw, db, centred, eps):
    """The means over a row, and then every entry; what it adds to dw and db."""
    n = np.float32(x.size)
    total = squares = of_mean = of_variance = np.float32(0)
    if centred:
        for j in range(x.size):
            total += x[j]
            of_mean += w[j] * dy[j]
    mean = total / n
    for j in range(x.size):
        squares += (x[j] - mean) * (x[j] - mean)
        of_variance += w[j] * dy[j] * (x[j] - mean)
    r = np.float32(1) / np.sqrt(squares / n + eps)
    of_mean, of_variance = of_mean / n, of_variance * r / n
    for j in range(x.size):
        z = (x[j] - mean) * r
        dx[j] = r * (w[j] * dy[j] - of_mean - z * of_variance)
        dw[j] += dy[j] * z
        db[j] += dy[j]
