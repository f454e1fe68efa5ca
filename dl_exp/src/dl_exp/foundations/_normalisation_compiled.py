"""Normalisation on the processor: a row comes from memory once and then from cache; columns by Welford, in lanes."""

from __future__ import annotations

import numpy as np

from dl_exp.foundations._normalisation_bounds import EPS
from exp_core import reused
from exp_core.compiled import REORDER, njit, prange

STRIP = 256  # channels whose means and squares stay in the first-level cache while the rows pass by


def numba_compiled(x, w, b, kind, groups):
    """Compiled, in threads: rows in two passes while they are in cache, columns by Welford, many at a time."""
    y = reused.empty(x.shape, x.dtype)
    if kind == "batch":
        _columns(x, w, b, y, np.float32(EPS))
    else:
        n = x.shape[1] // groups
        x, result = (each.reshape(len(x), groups, n) for each in (x, y))
        _rows(x, w.reshape(groups, n), b.reshape(groups, n), result, kind != "rms", np.float32(EPS))
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
        for j in range(x.size):  # "for entry in x" would not be vectorised
            total += x[j]
    mean = total / n
    for j in range(x.size):
        squares += (x[j] - mean) * (x[j] - mean)
    scale = np.float32(1) / np.sqrt(squares / n + eps)
    for j in range(x.size):
        y[j] = (x[j] - mean) * scale * w[j] + b[j]


@njit(parallel=True)
def _columns(x, w, b, y, eps):
    """Strips of columns, each in one thread."""
    for s in prange((x.shape[1] + STRIP - 1) // STRIP):
        _strip(x, w[s * STRIP : (s + 1) * STRIP], b[s * STRIP : (s + 1) * STRIP], y, s * STRIP, eps)


@njit(fastmath=REORDER)
def _strip(x, w, b, y, first, eps):
    """Welford's update for all columns of a strip at once: they share the count, and its reciprocal."""
    mean, squares, last = np.zeros_like(w), np.zeros_like(w), first + w.size
    for i in range(x.shape[0]):
        _update(x[i, first:last], mean, squares, np.float32(1) / np.float32(i + 1))
    for j in range(w.size):
        squares[j] = w[j] / np.sqrt(squares[j] / np.float32(x.shape[0]) + eps)  # from here on: the column's factor
    for i in range(x.shape[0]):
        _scale(x[i, first:last], mean, squares, b, y[i, first:last])


@njit(fastmath=REORDER)
def _update(x, mean, squares, per_count):
    """One more row: a vector of means and a vector of sums of squares."""
    for j in range(x.size):
        deviation = x[j] - mean[j]
        mean[j] += deviation * per_count
        squares[j] += deviation * (x[j] - mean[j])


@njit(fastmath=REORDER)
def _scale(x, mean, factor, b, y):
    """One row of the result."""
    for j in range(x.size):
        y[j] = (x[j] - mean[j]) * factor[j] + b[j]
