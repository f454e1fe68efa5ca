"""Softmax: from scores to probabilities, without overflow and with one look less at the data.

Problem   $p_j = e^{x_j} / \\sum_i e^{x_i}$ for every row of x; x has shape (rows, n), p the same shape and dtype.
Idea      $e^{89}$ overflows in float32.  Shifting a row by its maximum m changes nothing: $e^{x-m} = e^x / e^m$, and
          the largest exponent is then 0.  The sum can be had in the same pass as the maximum if it is rescaled when
          m grows.
Look for  The formula as written turns to NaN on the problem large.  The shift costs a pass over the data, the online
          form saves it again; a compiled graph keeps the row in cache, where single operations send it to memory.
          On a Linux CPU that graph gains most by another exponential, in vector instructions, and still sends the array
          to memory and back between its operations.  Our own loops keep a row in the first cache (row_by_row):
          there the exponentials and the memory take as long, one after the other (dl_exp/docs/limits.md).
Source    P. Blanchard, D. Higham, N. Higham, Accurately computing the log-sum-exp and softmax functions, IMA J.
          Numer. Anal. 41 (2021), doi:10.1093/imanum/draa038.
          M. Milakov, N. Gimelshein, Online normalizer calculation for softmax, arXiv:1805.02867 (2018).
"""

from __future__ import annotations

import functools
import math
from typing import Annotated

import numpy as np

from dl_exp import elementwise
from dl_exp.kernels._softmax_compiled import row_by_row
from dl_exp.kernels._softmax_kernel import kernel
from dl_exp.kernels._softmax_laws import BOUND, BOUND_IN_LANES, LAWS, exact, relative_error
from exp_core import Cost, Experiment, Implementation, Problem
from exp_core.tensor import normal


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


def scores(rows: Annotated[int, "number of rows"] = 512, n: Annotated[int, "scores in a row"] = 1024, *, dtype, rng):
    """Normal scores."""
    return (normal(rng, (rows, n), dtype),)


def large(rows: Annotated[int, "number of rows"] = 512, n: Annotated[int, "scores in a row"] = 1024, *, dtype, rng):
    """Scores around 200 in one row, around -200 in the next: exponentials overflow, or nothing is left of any."""
    return (normal(rng, (rows, n), dtype, mean=200.0 * (-1.0) ** np.arange(rows)[:, None]),)


def passes(flops, reads_and_writes, copies=0):
    """A cost: flops an element, passes over x, copies of it in float32.

    An exponential counts 1 where it is the library's; row_by_row's own takes 16: seven multiply-adds, two operations.
    """
    return lambda x: Cost(flops * x.size, reads_and_writes * x.nbytes, copies * 4 * x.size, written=x.nbytes)


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
        Implementation(row_by_row, "compiled", cost=passes(19, 2), bound=BOUND_IN_LANES, dtypes=("float32",)),
        Implementation(kernel, "kernel", cost=passes(9, 2), bound=BOUND, arrays="mlx", devices=("metal", "cuda")),
        Implementation(library, "library", cost=passes(5, 2), bound=BOUND, arrays="mlx"),
    ),
    picture=picture,
)
