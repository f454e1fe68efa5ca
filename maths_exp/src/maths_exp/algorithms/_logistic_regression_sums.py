"""Loss, gradient and Hessian in one pass over the data, on all cores.

The data come transposed, XT of shape (d, n): of a block of rows, margins and losses are whole vectors, and nothing is
added up across a vector until its end.  A block is read once from memory for the margins and is still in cache for the
gradient and the Hessian.  Every block leaves sums of its own, which are added in the order of the blocks: no bit of
the result depends on the number of threads.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import REORDER, njit, prange
from exp_core.vector import exp, log1p

ROWS = 256  # of a block: with 30 columns of float64 it is 60 kB, and stays in the cache of a core
PARTS = 64  # into which the blocks are dealt: more than there are threads


@njit(fastmath=REORDER)
def margins(XT, first, count, w, m):
    """$m = X w$ for the rows of a block, four columns at a time."""
    d = XT.shape[0]
    m[:count] = 0
    for j in range(0, d - 3, 4):
        a, b = XT[j, first : first + count], XT[j + 1, first : first + count]
        c, e = XT[j + 2, first : first + count], XT[j + 3, first : first + count]
        for i in range(count):
            m[i] += (w[j] * a[i] + w[j + 1] * b[i]) + (w[j + 2] * c[i] + w[j + 3] * e[i])
    for j in range(d - d % 4, d):
        a = XT[j, first : first + count]
        for i in range(count):
            m[i] += w[j] * a[i]


@njit(fastmath=REORDER)
def losses(y, m, r, s):
    """The sum of $\\log(1 + e^{-t})$ with $t = y m$; its derivatives by each margin go to r and s."""
    total = 0.0
    for i in range(y.size):
        t = y[i] * m[i]
        e = exp(-abs(t))  # never overflows
        q = 1.0 / (1.0 + e)
        total += log1p(e) + max(-t, 0.0)
        r[i] = -y[i] * q * (e if t > 0 else 1.0)
        s[i] = e * q * q
    return total


@njit(fastmath=REORDER)
def add_gradient(XT, first, count, r, g):
    """$g \\leftarrow g + X^T r$ for the rows of a block."""
    for j in range(XT.shape[0]):
        a, total = XT[j, first : first + count], 0.0
        for i in range(count):
            total += a[i] * r[i]
        g[j] += total


@njit(fastmath=REORDER)
def add_hessian(XT, first, count, s, H, scaled):
    """$H \\leftarrow H + X^T \\mathrm{diag}(s) X$ for the rows of a block: its lower half, four columns at a time."""
    for j in range(XT.shape[0]):
        a = XT[j, first : first + count]
        for i in range(count):
            scaled[i] = s[i] * a[i]
        k = 0
        while k + 3 <= j:
            b, c = XT[k, first : first + count], XT[k + 1, first : first + count]
            e, f = XT[k + 2, first : first + count], XT[k + 3, first : first + count]
            sb = sc = se = sf = 0.0
            for i in range(count):
                sb += scaled[i] * b[i]
                sc += scaled[i] * c[i]
                se += scaled[i] * e[i]
                sf += scaled[i] * f[i]
            H[j, k] += sb
            H[j, k + 1] += sc
            H[j, k + 2] += se
            H[j, k + 3] += sf
            k += 4
        while k <= j:
            b, total = XT[k, first : first + count], 0.0
            for i in range(count):
                total += scaled[i] * b[i]
            H[j, k] += total
            k += 1


@njit
def part_of_sums(XT, y, w, part, loss, g, H):
    """The blocks part, part + PARTS, ...: their loss, gradient and, if H has room for it, Hessian."""
    m, r, s, scaled = np.empty(ROWS), np.empty(ROWS), np.empty(ROWS), np.empty(ROWS)
    loss[part], g[part], H[part] = 0, 0, 0
    for first in range(part * ROWS, y.size, PARTS * ROWS):
        count = min(ROWS, y.size - first)
        margins(XT, first, count, w, m)
        loss[part] += losses(y[first : first + count], m[:count], r, s)
        add_gradient(XT, first, count, r, g[part])
        if H.shape[1]:
            add_hessian(XT, first, count, s, H[part], scaled)


@njit(parallel=True)
def all_parts(XT, y, w, parts, loss, g, H):
    """Nothing but the loop: of whole-array expressions in a parallel function Numba would take half a minute."""
    for part in prange(parts):
        part_of_sums(XT, y, w, part, loss, g, H)


@njit
def sums(XT, y, w, lam, loss, g, H):
    """f(w), its gradient in g[0], and the lower half of its Hessian in H[0]; one row of room for each part."""
    n, rows, columns = y.size, H.shape[1], H.shape[2]
    parts = min(PARTS, (n + ROWS - 1) // ROWS)
    all_parts(XT, y, w, parts, loss, g, H)
    squares = 0.0
    for part in range(1, parts):
        loss[0] += loss[part]
    for j in range(w.size):
        for part in range(1, parts):
            g[0, j] += g[part, j]
        g[0, j] = g[0, j] / n + lam * w[j]
        squares += w[j] * w[j]
    for part in range(1, parts):
        for j in range(rows):
            for k in range(columns):
                H[0, j, k] += H[part, j, k]
    for j in range(rows):
        for k in range(columns):
            H[0, j, k] /= n
        H[0, j, j] += lam
    return loss[0] / n + lam / 2 * squares
