"""Softmax: from scores to probabilities, without overflow and with one look less at the data.

Problem   $p_j = e^{x_j} / \\sum_i e^{x_i}$ for every row of x; x has shape (rows, n), p the same shape and dtype.
Idea      $e^{89}$ overflows in float32.  Shifting a row by its maximum m changes nothing: $e^{x-m} = e^x / e^m$, and
          the largest exponent is then 0.  The sum can be had in the same pass as the maximum if it is rescaled when
          m grows.
Look for  The formula as written turns to NaN on the problem large.  The shift costs a pass over the data, the online
          form saves it again; a compiled graph keeps the row in cache, where single operations send it to memory.
          On a Linux CPU that graph gains most by another exponential, in vector instructions.
Source    P. Blanchard, D. Higham, N. Higham, Accurately computing the log-sum-exp and softmax functions,
          IMA J. Numer. Anal. 41 (2021).  M. Milakov, N. Gimelshein, Online normalizer calculation for softmax,
          arXiv:1805.02867 (2018).
"""

from __future__ import annotations

import functools
import math
from typing import Annotated

import numpy as np

from dl_exp import elementwise
from dl_exp.kernels._softmax_kernel import kernel
from exp_core import Cost, Experiment, Implementation, Problem
from exp_core.tensor import dtype_name, gamma, normal, unit_roundoff

EXP_ULP = 4  # units in the last place by which exp may err (Metal Shading Language Specification, table 8.2)


def by_the_formula(x):
    """Exponentiate, add, divide: as the definition says it."""
    p = np.empty(x.shape, np.float32)
    for row, scores in enumerate(x.astype(np.float32)):
        powers = [np.exp(score) for score in scores]
        total = np.float32(0)
        for power in powers:
            total += power
        for j, power in enumerate(powers):
            p[row, j] = power / total
    return p.astype(x.dtype)


def shifted(x):
    """Look for the row's maximum first, and exponentiate only what is left of the scores."""
    p = np.empty(x.shape, np.float32)
    for row, scores in enumerate(x.astype(np.float32)):
        m = max(scores)
        powers = [np.exp(score - m) for score in scores]
        total = np.float32(0)
        for power in powers:
            total += power
        for j, power in enumerate(powers):
            p[row, j] = power / total
    return p.astype(x.dtype)


def online(x):
    """Keep maximum and sum together: when the maximum grows, what has been summed shrinks by $e^{old - new}$."""
    p = np.empty(x.shape, np.float32)
    for row, scores in enumerate(x.astype(np.float32)):
        m, total = np.float32(-np.inf), np.float32(0)
        for score in scores:
            larger = max(m, score)
            total = total * np.exp(m - larger) + np.exp(score - larger)
            m = larger
        for j, score in enumerate(scores):
            p[row, j] = np.exp(score - m) / total
    return p.astype(x.dtype)


def vectorised(x):
    """Whole arrays at a time on the device: every operation reads and writes all of x."""
    import mlx.core as mx

    scores = x.astype(mx.float32)
    powers = mx.exp(scores - mx.max(scores, axis=-1, keepdims=True))
    return (powers / mx.sum(powers, axis=-1, keepdims=True)).astype(x.dtype)


def compiled(x):
    """Operations fused by mx.compile: fewer trips to memory; on a Linux CPU, exp in vector instructions besides."""
    return _compiled_once()(x)


def library(x):
    """mx.softmax: one kernel, accumulating in float32."""
    import mlx.core as mx

    return mx.softmax(x, axis=-1, precise=True)


@functools.cache
def _compiled_once():
    import mlx.core as mx

    return mx.compile(elementwise.softmax)


def exact(x):
    """The same in float64, shifted."""
    scores = x.astype(np.float64)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def relative_error(p, x, truth):
    """The largest |p - exact| / exact, each taken with its condition 1 + |x_j - max|; what underflows may be lost.

    Below $2^{-126}$ that is all of it; a result below float16's smallest normal number is rounded to a multiple of
    $2^{-24}$: by half of that at most, which is that number times u.
    """
    if p.shape != x.shape or dtype_name(p) != dtype_name(x):
        return math.inf
    scores = x.astype(np.float64)
    condition = 1 + scores.max(axis=-1, keepdims=True) - scores
    error = np.abs(p.astype(np.float64) - truth) / (truth * condition + lost(x))
    return float(error.max()) if not np.isnan(error).any() else math.nan


def lost(x):
    """What may be lost of a result by underflow, over u."""
    if dtype_name(x) == "float16":
        return float(np.finfo(np.float16).tiny)
    return float(np.finfo(np.float32).tiny) / unit_roundoff(x)


def total_error(p, x, truth):
    """How far the rows' sums are from 1, by the sum's own condition."""
    error = np.abs(p.astype(np.float64).sum(axis=-1) - 1)
    return float(error.max()) if not np.isnan(error).any() else math.nan


def scores(rows: Annotated[int, "number of rows"] = 512, n: Annotated[int, "scores in a row"] = 1024, *, dtype, rng):
    """Normal scores."""
    return (normal(rng, (rows, n), dtype),)


def large(rows: Annotated[int, "number of rows"] = 512, n: Annotated[int, "scores in a row"] = 1024, *, dtype, rng):
    """Scores around 200: their exponentials overflow."""
    return (normal(rng, (rows, n), dtype, mean=200),)


def rounding(x):
    """Computed in float32, rounded once to the result's type.

    By Blanchard, Higham, Higham (2021), section 4: n - 1 additions, two exponentials, a division; the shift's
    rounding is multiplied by |x_j - max| (the law divides by it) and, averaged over the sum, by at most ln n.
    """
    n = x.shape[-1]
    return unit_roundoff(x) + gamma(n - 1 + 2 * (2 * EXP_ULP) + 1 + 1 + math.log(n), "float32")


def total_rounding(x):
    """Each p_j errs by the bound above times its condition; the conditions' mean over p is at most 1 + ln n.

    And each may underflow.
    """
    return (1 + math.log(x.shape[-1])) * rounding(x) + x.shape[-1] * lost(x) * unit_roundoff(x)


def passes(flops, reads_and_writes, copies=0):
    """A cost: flops an element, passes over x, copies of it in float32."""
    return lambda x: Cost(flops * x.size, reads_and_writes * x.nbytes, copies * 4 * x.size)


def picture(figure, x):
    """What temperature does to a row, and what the shift saves."""
    left, right = figure.subplots(1, 2)
    row = np.sort(np.asarray(x[0, :12], dtype=np.float64))[::-1]
    row = row - row.max()
    for temperature in (0.25, 1.0, 4.0):
        left.plot(exact(row[None] / temperature)[0], marker="o", label=f"T = {temperature:g}")
    left.set(xlabel="score, sorted", ylabel="probability", title="Temperature sharpens or flattens")
    left.legend()
    shifts = np.arange(0.0, 128.0, 4.0)
    with np.errstate(all="ignore"):
        for method in (by_the_formula, shifted):
            tried = [(row[None] + shift).astype(np.float32) for shift in shifts]
            errors = [relative_error(method(t), t, exact(t)) for t in tried]
            right.semilogy(shifts, errors, marker=".", label=method.__name__)
    right.axvline(math.log(np.finfo(np.float32).max), color="black", linestyle=":", label="ln of the largest float32")
    right.set(xlabel="all scores raised by", ylabel="relative error", title="The formula as written overflows")
    right.legend()


LAWS = {"relative error": relative_error, "rows sum to 1": total_error}
BOUND = {"relative error": rounding, "rows sum to 1": total_rounding}
OVERFLOWS = {"large": "exp overflows float32 above 88.7"}
SMALL = {"rows": 3, "n": 50}
AWKWARD = ({"rows": 1, "n": 1}, {"rows": 2, "n": 7}, {"rows": 5, "n": 257})

EXPERIMENT = Experiment(
    problems=(
        Problem(scores, small=SMALL, awkward=AWKWARD),
        Problem(large, kind="hard", small=SMALL, awkward=AWKWARD),
    ),
    dtypes=("float32", "float16", "bfloat16"),
    oracle=exact,
    laws=LAWS,
    implementations=(
        Implementation(by_the_formula, "textbook", cost=passes(3, 2), bound=BOUND, unstable=OVERFLOWS),
        Implementation(shifted, "textbook", cost=passes(5, 2), bound=BOUND),
        Implementation(online, "textbook", cost=passes(9, 2), bound=BOUND),
        Implementation(vectorised, "vectorised", cost=passes(5, 2, copies=3), bound=BOUND, arrays="mlx"),
        Implementation(compiled, "compiled", cost=passes(5, 2, copies=4), bound=BOUND, arrays="mlx"),
        Implementation(kernel, "kernel", cost=passes(9, 2), bound=BOUND, arrays="mlx", devices=("metal", "cuda")),
        Implementation(library, "library", cost=passes(5, 2), bound=BOUND, arrays="mlx"),
    ),
    picture=picture,
)
