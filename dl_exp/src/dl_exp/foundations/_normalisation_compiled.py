"""Normalisation on the processor: a row is read from memory once, and again from cache; columns by Welford, in lanes."""

from __future__ import annotations

import numpy as np

from dl_exp.foundations._normalisation_bounds import EPS
from exp_core.compiled import REORDER, njit, prange

STRIP = 256  # channels whose means and squares stay in the first-level cache while the rows pass by


def numba_compiled(x, w, b, kind, groups):
    """Compiled, in threads: rows in two passes while they are in cache, columns by Welford, many at a time."""
    y = np.empty_like(x)
    if kind == "batch":
        _columns(x, w, b, y, np.float32(EPS))
    else:
        n = x.shape[1] // groups
        seen = (len(x), groups, n)
        _rows(x.reshape(seen), w.reshape(groups, n), b.reshape(groups, n), y.reshape(seen), kind != "rms", np.float32(EPS))
    return y


@njit(parallel=True)
def _rows(x, w, b, y, centred, eps):
    """Each row of x (rows, groups, n) in one thread, group after group."""
    for i in prange(x.shape[0]):
        for g in range(x.shape[1]):
            _row(x[i, g], w[g], b[g], y[i, g], centred, eps)


@njit(fastmath=REORDER)
def _row(x, w, b, y, centred, eps):
    """A set that lies together: sums in vector registers, in an order of the compiler's choice."""
    n = np.float32(x.size)
    total = squares = np.float32(0)
    if centred:
        for entry in x:
            total += entry
    mean = total / n
    for entry in x:
        squares += (entry - mean) * (entry - mean)
    scale = np.float32(1) / np.sqrt(squares / n + eps)
    for j in range(x.size):
        y[j] = (x[j] - mean) * scale * w[j] + b[j]


@njit(parallel=True)
def _columns(x, w, b, y, eps):
    """Strips of columns, each in one thread."""
    strips = (x.shape[1] + STRIP - 1) // STRIP
    for s in prange(strips):
        strip = slice(s * STRIP, (s + 1) * STRIP)
        _strip(x[:, strip], w[strip], b[strip], y[:, strip], eps)


@njit(fastmath=REORDER)
def _strip(x, w, b, y, eps):
    """Welford's update for all columns of a strip at once: they share the count, and its reciprocal."""
    mean, squares = np.zeros_like(w), np.zeros_like(w)
    for i in range(x.shape[0]):
        _update(x[i], mean, squares, np.float32(1) / np.float32(i + 1))
    for j in range(w.size):
        squares[j] = w[j] / np.sqrt(squares[j] / np.float32(x.shape[0]) + eps)  # from here on the factor of a column
    for i in range(x.shape[0]):
        for j in range(w.size):
            y[i, j] = (x[i, j] - mean[j]) * squares[j] + b[j]


@njit(fastmath=REORDER)
def _update(x, mean, squares, per_count):
    """One more row: a vector of means and a vector of sums of squares."""
    for j in range(x.size):
        deviation = x[j] - mean[j]
        mean[j] += deviation * per_count
        squares[j] += deviation * (x[j] - mean[j])
