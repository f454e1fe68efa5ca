"""Softmax on a processor: a row stays in the first cache from its maximum to its last division.

x is read once and p written once.  Where p is larger than the caches it goes past them: a line that is written in part
would first be read.
"""

from __future__ import annotations

import numpy as np

from dl_exp.kernels._softmax_vectors import three_rows, three_rows_past_caches
from exp_core import reused
from exp_core.aligned import LINE
from exp_core.compiled import njit, prange
from exp_core.machine.streams import wait_for_stores
from exp_core.vector.largest import largest

SMALL = 2**14  # scores that are done before a second thread has started
PAST_CACHES = 2**23  # bytes of p from which on it is not to be found in a cache when somebody needs it


def row_by_row(x):
    """Look for a row's maximum while the one before it is computed, and write the last one's result meanwhile."""
    import numba

    p = reused.empty(x.shape, x.dtype)
    past = p.nbytes >= PAST_CACHES and p.shape[1] * p.itemsize % LINE == 0  # all rows begin a line, as p does
    threads = min(numba.get_num_threads(), len(x)) if x.size > SMALL else 1
    if threads > 1:
        _in_threads(np.ascontiguousarray(x), p, threads, past)
    else:
        _rows(np.ascontiguousarray(x), p, 0, len(x), past)
    return p


@njit(parallel=True)
def _in_threads(x, p, threads, past):
    for t in prange(threads):
        _rows(x, p, len(x) * t // threads, len(x) * (t + 1) // threads, past)


@njit
def _rows(x, p, first, last, past):
    """Rows first to last - 1.  Before there is a last row's result, zeros are written where the first one's will be."""
    line = LINE // x.itemsize
    width = (x.shape[1] + line - 1) // line * line
    memory = np.zeros(2 * width + line, x.dtype)
    start = -memory.ctypes.data % LINE // x.itemsize
    powers = memory[start : start + 2 * width].reshape(2, width)  # of this row and of the last one, in turns
    m, share = largest(x[first]), x.dtype.type(1)
    for r in range(first, last):
        here, done, following = powers[r % 2], powers[(r + 1) % 2], x[min(r + 1, last - 1)]
        if past:
            total, m = three_rows_past_caches(x[r], m, here, following, done, share, p[max(r - 1, first)])
        else:
            total, m = three_rows(x[r], m, here, following, done, share, p[max(r - 1, first)])
        share = x.dtype.type(1) / total
    _scaled(p[last - 1], powers[(last - 1) % 2], share)
    wait_for_stores()


@njit
def _scaled(p, powers, share):
    for j in range(p.size):
        p[j] = share * powers[j]
