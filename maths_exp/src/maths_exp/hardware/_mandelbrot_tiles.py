"""The iteration for a tile of points at once, with no question asked at a step: the vector units stay full.

A point outside of the circle of radius 2 never comes back: $|z| > \\max(2, |c|)$ gives $|z^2 + c| > |z|$.  So a whole
tile may take eight steps before anybody looks.  If nobody has left meanwhile, which is nearly always so, that is all
there was to know; if somebody has, the eight steps are taken again from where they began, and counted.  Who is out goes
on to infinity with the others: infinity minus infinity is not a number, and that is not inside either.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import FUSE, njit, prange
from exp_core.tasks import WORKERS, take

WIDTH, HEIGHT = 16, 4  # of a tile: its points are neighbours in both directions, and leave at about the same time
LANES = WIDTH * HEIGHT  # enough independent chains to hide the latency of a multiply-add, on any processor
STEPS = 8  # between two looks


@njit(fastmath=FUSE)
def iterate(c, d, iterations, n, x, y, u, v):
    """Counts n of the points c + i d.  All of shape (LANES,); x + i y and u + i v are room for the lanes' z."""
    four, zero = c.dtype.type(4), c.dtype.type(0)
    for lane in range(LANES):
        x[lane], y[lane], n[lane] = zero, zero, 0
    done, inside = 0, LANES
    while done < iterations and inside > 0:
        still = 0
        for lane in range(LANES):
            s, t, a, b = x[lane], y[lane], c[lane], d[lane]
            for _ in range(STEPS):  # a constant: the compiler unrolls it, and vectorises the loop over lanes
                s, t = (s - t) * (s + t) + a, (s + s) * t + b
            u[lane], v[lane] = s, t
            still += s * s + t * t <= four
        if still < inside:
            inside = still
            for lane in range(LANES):
                s, t, a, b, k = x[lane], y[lane], c[lane], d[lane], 0
                for _ in range(STEPS):
                    k += s * s + t * t <= four
                    s, t = (s - t) * (s + t) + a, (s + s) * t + b
                n[lane] = done + k if k > 0 else n[lane]
        x, y, u, v = u, v, x, y
        done += STEPS
    for lane in range(LANES):
        n[lane] = iterations if x[lane] * x[lane] + y[lane] * y[lane] <= four else min(n[lane], iterations)


@njit
def strip(a, b, iterations, counts, row):
    """Fill HEIGHT rows of counts; tiles at the edges are filled up with the last point."""
    c, d = np.empty(LANES, a.dtype), np.empty(LANES, a.dtype)
    x, y = np.empty(LANES, a.dtype), np.empty(LANES, a.dtype)
    u, v = np.empty(LANES, a.dtype), np.empty(LANES, a.dtype)
    n = np.empty(LANES, np.int32)
    for column in range(0, a.size, WIDTH):
        for i in range(HEIGHT):
            for j in range(WIDTH):
                c[i * WIDTH + j] = a[min(column + j, a.size - 1)]
                d[i * WIDTH + j] = b[min(row + i, b.size - 1)]
        iterate(c, d, iterations, n, x, y, u, v)
        for i in range(min(HEIGHT, b.size - row)):
            for j in range(min(WIDTH, a.size - column)):
                counts[row + i, column + j] = n[i * WIDTH + j]


@njit
def tiles(a, b, iterations):
    """A tile of 64 points at once, eight steps between two looks: the branch that stalled the loop is gone."""
    counts = np.empty((b.size, a.size), np.int32)
    for row in range(0, b.size, HEIGHT):
        strip(a, b, iterations, counts, row)
    return counts


@njit(parallel=True)
def tiles_threads(a, b, iterations):
    """The same on all cores: whoever has finished a strip takes the next, since those through the set take longest."""
    counts = np.empty((b.size, a.size), np.int32)
    next_strip = np.zeros(1, np.int64)
    for _ in prange(WORKERS):
        row = take(next_strip) * HEIGHT
        while row < b.size:
            strip(a, b, iterations, counts, row)
            row = take(next_strip) * HEIGHT
    return counts
