"""Dot product: two vectors, one number, and what is left of it where terms cancel.

Problem   $s = \\sum_i x_i y_i$; x and y are vectors of n floats.
Idea      Multiply and add; whoever adds in several places at once is faster, and errs less besides.
Look for  All do the same flops.  On the orthogonal problem no digit of s is sure, and the error, which is measured
          against $\\sum |x_i y_i|$, is as small as ever.
Source    N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), section 3.1.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from exp_core import Cost, Experiment, Implementation, Problem
from exp_core.compiled import njit
from exp_core.tensor import gamma


def loop(x, y):
    """One product after the other."""
    s = x.dtype.type(0)
    for a, b in zip(x, y, strict=True):
        s = s + a * b
    return s


@njit
def loop_compiled(x, y):
    """The same loop, compiled."""
    s = x.dtype.type(0)
    for i in range(x.size):
        s += x[i] * y[i]
    return s


def blas(x, y):
    """np.dot: BLAS, with many partial sums in vector registers."""
    return np.dot(x, y)


def exact(x, y):
    """Products in float64 are exact for float32; for float64 each is split into two by a fused error (Dekker)."""
    if x.dtype == np.float32:
        return math.fsum((x.astype(np.float64) * y.astype(np.float64)).tolist())
    return math.fsum(term for a, b in zip(x.tolist(), y.tolist(), strict=True) for term in two_product(a, b))


def two_product(a, b):
    """p + e = a b exactly, if nothing overflows (Higham 2002, algorithm 4.8 of Dekker)."""
    p = a * b
    (ah, al), (bh, bl) = split(a), split(b)
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


def split(a):
    """The upper and the lower half of a significand of 53 bits (Veltkamp)."""
    c = (2.0**27 + 1) * a
    high = c - (c - a)
    return high, a - high


def error(s, x, y, truth):
    r"""$|\hat s - s| / \sum_i |x_i y_i|$: the condition number of the sum is taken out."""
    scale = float(np.abs(x.astype(np.float64) * y.astype(np.float64)).sum())
    return abs(float(s) - truth) / scale if scale else abs(float(s))


def normal(n: Annotated[int, "length"] = 100_000, *, dtype, rng):
    """Two normal vectors."""
    return rng.standard_normal(n).astype(dtype), rng.standard_normal(n).astype(dtype)


def orthogonal(n: Annotated[int, "length"] = 100_000, *, dtype, rng):
    """Terms that come twice, with both signs, and a one among them: nearly all of the sum cancels."""
    x, y = (rng.standard_normal(n // 2 + 1).astype(dtype) for _ in range(2))
    x[0] = y[0] = 1
    return np.concatenate([x, x[1:]])[:n], np.concatenate([y, -y[1:]])[:n]


def cost(x, y):
    """A multiplication and an addition each; both vectors are read."""
    return Cost(flops=2 * x.size, bytes=x.nbytes + y.nbytes)


def bound(x, y):
    """Higham (2002), eq. (3.5): n roundings meet a term at most, in any order of summation."""
    return gamma(x.size, x)


def picture(figure, x, y):
    """How the sum grows."""
    axes = figure.subplots()
    axes.plot(np.cumsum(x * y))
    axes.set(xlabel="terms", ylabel="sum so far", title="A dot product on its way")


AWKWARD = ({"n": 1}, {"n": 2}, {"n": 127})

EXPERIMENT = Experiment(
    problems=(
        Problem(normal, small={"n": 100}, awkward=AWKWARD),
        Problem(orthogonal, kind="hard", small={"n": 100}, awkward=AWKWARD),
    ),
    oracle=exact,
    laws={"error": error},
    implementations=(
        Implementation(loop, "textbook", cost=cost, bound=bound),
        Implementation(loop_compiled, "compiled", cost=cost, bound=bound),
        Implementation(blas, "library", cost=cost, bound=bound),
    ),
    picture=picture,
)
