"""A compensated sum in vector registers and threads: what each addition loses is exact, so its order is free."""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit, prange
from maths_exp.basics._summation_bounds import deep_bound

LANES = 128  # partial sums of a part: enough vector registers in flight to hide the latency of an addition
SMALLEST_PART = 2**14  # terms below which sharing out costs more than it brings
PARTS = 32  # parts to share out among threads: fixed, so that the result does not depend on their number


@njit
def two_sum(a, b):
    """a + b rounded, and what the rounding took: exact, without asking which is larger (Knuth, TAOCP vol. 2, 4.2.2)."""
    s = a + b
    z = s - a
    return s, (a - (s - z)) + (b - z)


@njit
def two_sum_lanes(x, s, c):
    """Add x to the partial sums s, lane by lane; what is lost goes to c."""
    whole = x.size - x.size % LANES
    for i in range(0, whole, LANES):
        for j in range(LANES):
            s[j], lost = two_sum(s[j], x[i + j])
            c[j] += lost
    for j in range(x.size - whole):
        s[j], lost = two_sum(s[j], x[whole + j])
        c[j] += lost


@njit(parallel=True)
def compensated_compiled(x):
    """Keep many partial sums as well, each with its own lost parts: vectors and threads, and Neumaier's accuracy."""
    parts = min(PARTS, 1 + x.size // SMALLEST_PART)
    s = np.zeros((parts, LANES), x.dtype)
    c = np.zeros((parts, LANES), x.dtype)
    for p in prange(parts):
        two_sum_lanes(x[x.size * p // parts : x.size * (p + 1) // parts], s[p], c[p])
    total = compensation = x.dtype.type(0)
    for p in range(parts):
        for j in range(LANES):
            total, lost = two_sum(total, s[p, j])
            compensation += lost + c[p, j]
    return total + compensation


def lanes_bound(x):
    """A lane adds its share of the terms, and then all lanes of all parts are added in a row."""
    parts = min(PARTS, 1 + x.size // SMALLEST_PART)
    return deep_bound(x.size // (parts * LANES) + 2 + parts * LANES, x)
