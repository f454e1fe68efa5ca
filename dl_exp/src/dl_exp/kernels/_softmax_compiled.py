"""Softmax on a processor: a row stays in the first cache from its maximum to its last division.

x is read once and p written once.  Where p is larger than the caches it goes past them: a line that is written in part
would first be read.
"""

from __future__ import annotations

import numpy as np

from dl_exp.engine.workspace import aligned
from exp_core.compiled import REORDER, njit, prange
from exp_core.machine.streams import LINE, scale_line, wait_for_stores
from exp_core.vector import exp
from exp_core.vector.largest import largest

SMALL = 2**14  # scores that are done before a second thread has started
PAST_CACHES = 2**23  # bytes of p from which on it is not to be found in a cache when somebody needs it


def row_by_row(x):
    """Three loops over a row that is in the first cache, exp in vector registers; threads share the rows."""
    import numba

    p = aligned(x.shape, x.dtype, np.empty)
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
    powers = np.empty(x.shape[1], x.dtype)
    for r in range(first, last):
        share = p.dtype.type(1) / _powers(x[r], largest(x[r]), powers)
        if past:
            _past_caches(p[r], powers, share)
        else:
            _scaled(p[r], powers, share)
    wait_for_stores()


@njit(fastmath=REORDER)
def _powers(x, m, powers):
    """The exponentials of a row less its maximum; their sum."""
    total = x.dtype.type(0)
    for j in range(x.size):
        e = exp(x[j] - m)
        powers[j] = e
        total += e
    return total


@njit
def _scaled(p, powers, share):
    for j in range(p.size):
        p[j] = share * powers[j]


@njit
def _past_caches(p, powers, share):
    for j in range(0, p.size, LINE // p.itemsize):
        scale_line(p, powers, powers, share, j)
