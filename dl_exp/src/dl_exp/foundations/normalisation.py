"""Normalisation: one formula with four names, and the variance that one pass too few cannot see.

Problem   $y = w (x - \\mu) / \\sqrt{\\sigma^2 + \\epsilon} + b$, with mean $\\mu$ and variance $\\sigma^2$ of the
          set of entries that x is in.  x has shape (rows, channels), w and b have a number for each channel.
          A set is a row (Layer), a group of neighbouring channels of a row (Group), a channel over all rows (Batch);
          RMS takes a row and leaves its mean: $\\mu = 0$, $\\sigma^2 = \\overline{x^2}$, b = 0.
Idea      The formula reads a set twice before it writes: once for the mean, once for the deviations from it.
          $\\sigma^2 = \\overline{x^2} - \\mu^2$ needs one reading, and cancels.  Welford's update needs one as well,
          and does not: it sums deviations from the mean so far.
Look for  On far-off the mean is 4096 deviations: the squares agree in all the digits that float32 has, and what is
          left of their difference is noise.  Welford pays for its one pass with a division a step and a chain of
          steps; over a row that is in cache anyway the second reading is cheaper.  Over columns it comes into its own:
          one division serves all channels, and x comes from memory once less.
          mx.fast on the CPU is whole arrays at a time, on one thread: every intermediate result goes to memory and
          back.  mx.compile makes one loop of these operations there, but one that takes number after number.
Source    J. Ba, J. Kiros, G. Hinton, Layer normalization, arXiv:1607.06450 (2016).
          Y. Wu, K. He, Group normalization, ECCV 2018, arXiv:1803.08494.
          S. Ioffe, C. Szegedy, Batch normalization, ICML 2015, arXiv:1502.03167.
          B. Zhang, R. Sennrich, Root mean square layer normalization, NeurIPS 2019, arXiv:1910.07467.
          B. Welford, Note on a method for calculating corrected sums of squares and products, Technometrics 4 (1962),
          419-420, doi:10.1080/00401706.1962.10490022.
"""

from __future__ import annotations

import functools

import numpy as np

from dl_exp.foundations._normalisation_bounds import (
    EPS,
    error,
    exact,
    library_bound,
    sets,
    squares_bound,
    two_passes_bound,
    welford_bound,
)
from dl_exp.foundations._normalisation_compiled import numba_compiled
from dl_exp.foundations._normalisation_kernel import kernel
from dl_exp.foundations._normalisation_picture import picture
from dl_exp.foundations._normalisation_problems import batch, far_off, group, layer, rms
from exp_core import Cost, Experiment, Implementation, Problem


def by_the_formula(x, w, b, kind, groups):
    """Two passes: the mean, then the squares of the deviations from it."""
    z = np.empty(x.shape, np.float32)
    for entries, result in zip(sets(x.astype(np.float32), kind, groups), sets(z, kind, groups), strict=True):
        n = np.float32(len(entries))
        mean = np.float32(0) if kind == "rms" else sum(entries) / n
        squares = sum((entry - mean) * (entry - mean) for entry in entries)
        scale = 1 / np.sqrt(squares / n + np.float32(EPS))
        for j, entry in enumerate(entries):
            result[j] = (entry - mean) * scale
    return (z * w.astype(np.float32) + b.astype(np.float32)).astype(x.dtype)


def sum_of_squares(x, w, b, kind, groups):
    """One pass: $\\overline{x^2} - \\mu^2$, two large numbers that may differ by less than they were rounded."""
    z = np.empty(x.shape, np.float32)
    for entries, result in zip(sets(x.astype(np.float32), kind, groups), sets(z, kind, groups), strict=True):
        n, total, squares = np.float32(len(entries)), np.float32(0), np.float32(0)
        for entry in entries:
            total += entry
            squares += entry * entry
        mean = np.float32(0) if kind == "rms" else total / n
        scale = 1 / np.sqrt(squares / n - mean * mean + np.float32(EPS))
        for j, entry in enumerate(entries):
            result[j] = (entry - mean) * scale
    return (z * w.astype(np.float32) + b.astype(np.float32)).astype(x.dtype)


def welford(x, w, b, kind, groups):
    """One pass: what an entry adds is its deviation from the mean before times that from the mean with it."""
    z = np.empty(x.shape, np.float32)
    for entries, result in zip(sets(x.astype(np.float32), kind, groups), sets(z, kind, groups), strict=True):
        mean, squares = np.float32(0), np.float32(0)
        for k, entry in enumerate(entries, start=1):
            deviation = entry - mean
            if kind != "rms":
                mean += deviation / np.float32(k)
            squares += deviation * (entry - mean)
        scale = 1 / np.sqrt(squares / np.float32(len(entries)) + np.float32(EPS))
        for j, entry in enumerate(entries):
            result[j] = (entry - mean) * scale
    return (z * w.astype(np.float32) + b.astype(np.float32)).astype(x.dtype)


def vectorised(x, w, b, kind, groups):
    """Whole arrays at a time on the device: x seen as (rows, groups, channels), the mean over the right axis."""
    import mlx.core as mx

    z = x.astype(mx.float32).reshape(x.shape[0], groups, -1)
    axis = 0 if kind == "batch" else 2
    if kind != "rms":
        z = z - mx.mean(z, axis=axis, keepdims=True)
    z = z * mx.rsqrt(mx.mean(mx.square(z), axis=axis, keepdims=True) + EPS)
    return (z.reshape(x.shape) * w.astype(mx.float32) + b.astype(mx.float32)).astype(x.dtype)


def compiled(x, w, b, kind, groups):
    """The same graph, its elementwise operations fused by mx.compile: fewer trips to memory."""
    return _compiled_once(kind, groups)(x, w, b)


def library(x, w, b, kind, groups):
    """mx.fast.layer_norm and rms_norm; Group and Batch as mlx.nn makes them of the former, and of mean and variance."""
    import mlx.core as mx

    if kind == "layer":
        return mx.fast.layer_norm(x, w, b, EPS)
    if kind == "rms":
        return mx.fast.rms_norm(x, w, EPS)
    if kind == "group":
        z = mx.fast.layer_norm(x.reshape(x.shape[0], groups, -1), None, None, EPS)
        return z.reshape(x.shape) * w + b
    wide = x.astype(mx.float32)
    mean, variance = mx.mean(wide, axis=0), mx.var(wide, axis=0)
    return ((wide - mean) * mx.rsqrt(variance + EPS)).astype(x.dtype) * w + b


@functools.cache
def _compiled_once(kind, groups):
    import mlx.core as mx

    return mx.compile(lambda x, w, b: vectorised(x, w, b, kind, groups))


def passes(flops, copies):
    """A cost: so many flops an entry (w z + b and the scaling among them); copies of x in float32 are kept."""

    def cost(x, w, b, kind, groups):
        return Cost(flops * x.size, 2 * x.nbytes + w.nbytes + b.nbytes, copies * 4 * x.size, written=x.nbytes)

    return cost


HIDDEN = {"far-off": "the square of the mean hides the variance: n u κ² is above 1"}
SMALL = {"rows": 3, "channels": 48}
AWKWARD = ({"rows": 1, "channels": 1}, {"rows": 2, "channels": 7}, {"rows": 37, "channels": 131})
GROUPED = (
    {"rows": 1, "channels": 1, "groups": 1},
    {"rows": 5, "channels": 21, "groups": 3},
    {"rows": 3, "channels": 1000},
)

EXPERIMENT = Experiment(
    problems=(
        Problem(layer, small=SMALL, awkward=AWKWARD),
        Problem(rms, small=SMALL, awkward=AWKWARD),
        Problem(group, small=SMALL, awkward=GROUPED),
        Problem(batch, small={"rows": 48, "channels": 3}, awkward=AWKWARD),
        Problem(far_off, kind="hard", small=SMALL, awkward=AWKWARD),
    ),
    dtypes=("float32", "float16", "bfloat16"),
    oracle=exact,
    laws={"error": error},
    implementations=(
        Implementation(by_the_formula, "textbook", cost=passes(8, 3), bound=two_passes_bound),
        Implementation(sum_of_squares, "textbook", cost=passes(7, 3), bound=squares_bound, unstable=HIDDEN),
        Implementation(welford, "textbook", cost=passes(10, 3), bound=welford_bound),
        Implementation(vectorised, "vectorised", cost=passes(7, 4), bound=two_passes_bound, arrays="mlx"),
        Implementation(compiled, "compiled", cost=passes(7, 3), bound=two_passes_bound, arrays="mlx"),
        Implementation(numba_compiled, "compiled", cost=passes(8, 0), bound=welford_bound, dtypes=("float32",)),
        Implementation(
            kernel, "kernel", cost=passes(10, 0), bound=welford_bound, arrays="mlx", devices=("metal", "cuda")
        ),
        Implementation(library, "library", cost=passes(7, 3), bound=library_bound, arrays="mlx"),
    ),
    picture=picture,
)
