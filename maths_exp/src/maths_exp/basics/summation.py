"""Summation: what rounding takes from a long sum, and the price of keeping it.

Problem   $s = x_0 + x_1 + \\dots + x_{n-1}$; x is a vector of n floats.
Idea      Each addition multiplies what it has summed so far by a factor within $1 \\pm u$. Count how many such factors
          a term meets: n in a row, $\\log_2 n$ in a tree, one or two when the rounding error itself is carried along.
Look for  Kahan does four additions where the naive sum does one, on the same 8n bytes. Four times the time, then?
          On the absorbing problem the naive sum loses nearly as much as its bound allows; on random data it does not.
Source    N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), doi:10.1137/1.9780898718027,
          chapter 4.
          T. Ogita, S. Rump, S. Oishi, Accurate Sum and Dot Product, SIAM J. Sci. Comput. 26 (2005), 1955-1988,
          doi:10.1137/030601818.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from exp_core import Cost, Experiment, Implementation, Problem
from exp_core.compiled import REORDER, njit, prange
from exp_core.tensor import unit_roundoff
from maths_exp.basics._summation_bounds import (
    compensated_bound,
    kahan_bound,
    naive_bound,
    numpy_bound,
    pairwise_bound,
    rounded_once,
)
from maths_exp.basics._summation_compensated import compensated_compiled, lanes_bound


def naive(x):
    """Add from left to right: the first term is rounded n - 1 times."""
    s = x.dtype.type(0)
    for term in x:
        s = s + term
    return s


def pairwise(x):
    """Add the two halves separately: a tree of depth log2 n rounds each term log2 n times."""
    if x.size < 2:
        return x[0] if x.size else x.dtype.type(0)
    half = x.size // 2
    return pairwise(x[:half]) + pairwise(x[half:])


def kahan(x):
    """Carry along what the last addition lost, and put it into the next one."""
    s = c = x.dtype.type(0)
    for term in x:
        y = term - c
        t = s + y
        c = (t - s) - y  # what reached t, less what should have
        s = t
    return s


def neumaier(x):
    """Unlike Kahan, ask which summand is smaller, and put all that was lost back once, at the end."""
    s = c = x.dtype.type(0)
    for term in x:
        t = s + term
        if abs(s) >= abs(term):
            c = c + ((s - t) + term)
        else:
            c = c + ((term - t) + s)
        s = t
    return s + c


def pairwise_vectorised(x):
    """Fold the upper half onto the lower half, as arrays: the same tree, log2 n array additions."""
    while x.size > 1:
        half = (x.size + 1) // 2
        folded = x[:half].copy()
        folded[: x.size - half] += x[half:]
        x = folded
    return x[0] if x.size else x.dtype.type(0)


@njit(parallel=True, fastmath=REORDER)
def naive_compiled(x):
    """Allow the compiler to reorder the additions: it keeps many partial sums, in vector registers and threads."""
    s = x.dtype.type(0)
    for i in prange(x.size):
        s += x[i]
    return s


def numpy_sum(x):
    """np.sum: pairwise down to blocks of 128 terms, in C."""
    return np.sum(x)


def fsum(x):
    """math.fsum: keep a list of parts that do not overlap, and round once, at the very end."""
    return x.dtype.type(math.fsum(x.tolist()))


def exact(x):
    """The sum, rounded once to float64."""
    return math.fsum(x.tolist())


def relative_error(s, x, truth):
    r"""$|\hat s - s| / \sum |x|$: the condition number of the sum is taken out."""
    scale = math.fsum(abs(x).tolist())
    return abs(float(s) - truth) / scale if scale else abs(float(s))


def digits(s, x, truth):
    """Correct decimal digits of s itself: here the condition number counts."""
    lost = max(abs(float(s) - truth), unit_roundoff("float64") * abs(truth))
    return max(0.0, -math.log10(lost / abs(truth))) if truth else 0.0


def uniform(n: Annotated[int, "number of terms"] = 2**20, *, dtype, rng):
    """Positive terms from the interval [0, 1): well conditioned."""
    return (rng.random(n).astype(dtype),)


def absorbing(n: Annotated[int, "number of terms"] = 2**20, *, dtype, rng):
    """A one, then terms just under half a unit in its last place: the naive sum never moves."""
    x = np.full(n, 0.99 * unit_roundoff(dtype), dtype)
    x[:1] = 1
    return (x,)


def cancelling(n: Annotated[int, "number of terms"] = 2**20, *, dtype, rng):
    """Terms of both signs over many magnitudes, nearly all of which cancel: few digits of the sum are determined."""
    half = rng.standard_normal(n // 2) * 10.0 ** rng.uniform(-6, 6, n // 2)
    x = np.concatenate([half, -half, np.ones(n % 2)]).astype(dtype)
    rng.shuffle(x)
    x[0] += 1
    return (x,)


def additions(per_term, copies=0.0):
    """A cost: so many additions a term; every term is read once; so many copies of x are kept."""
    return lambda x: Cost(flops=per_term * max(x.size - 1, 0), bytes=x.nbytes, memory=copies * x.nbytes, written=0)


def picture(figure, x):
    """Error of each method against the number of terms, beside the bounds of the naive and the pairwise sum."""
    axes = figure.subplots()
    counts = [2**k for k in range(1, 13) if 2**k <= max(x.size, 2)]
    for method in (naive, pairwise, kahan, neumaier):
        parts = [[x[i : i + n] for i in range(0, min(x.size, 8 * n), n)] for n in counts]
        worst = [max(relative_error(method(part), part, exact(part)) for part in some) for some in parts]
        axes.loglog(counts, np.maximum(worst, unit_roundoff(x) / 100), marker="o", label=method.__name__)
    for bound, style in ((naive_bound, "k--"), (pairwise_bound, "k:")):
        axes.loglog(counts, [bound(x[:n]) for n in counts], style, label=bound.__name__.replace("_", " "))
    title = "What rounding takes from a sum: the worst of eight (at the bottom: nothing)"
    axes.set(xlabel="terms n", ylabel="|error| / Σ|x|", title=title)
    axes.legend(fontsize="small")


AWKWARD = ({"n": 1}, {"n": 2}, {"n": 127}, {"n": 4099})

EXPERIMENT = Experiment(
    problems=(
        Problem(uniform, small={"n": 1000}, awkward=AWKWARD),
        Problem(absorbing, kind="hard", small={"n": 4000}, awkward=AWKWARD),
        Problem(cancelling, kind="hard", small={"n": 1000}, awkward=AWKWARD),
    ),
    oracle=exact,
    laws={"relative error": relative_error},
    figures={"digits": digits},
    implementations=(
        Implementation(naive, "textbook", cost=additions(1), bound=naive_bound),
        Implementation(pairwise, "textbook", cost=additions(1), bound=pairwise_bound),
        Implementation(kahan, "textbook", cost=additions(4), bound=kahan_bound),
        Implementation(neumaier, "textbook", cost=additions(4), bound=compensated_bound),
        Implementation(pairwise_vectorised, "vectorised", cost=additions(1, copies=1), bound=pairwise_bound),
        Implementation(naive_compiled, "compiled", cost=additions(1), bound=naive_bound),
        Implementation(compensated_compiled, "compiled", cost=additions(7), bound=lanes_bound),
        Implementation(fsum, "library", cost=additions(1, copies=4), bound=rounded_once),
        Implementation(numpy_sum, "library", cost=additions(1), bound=numpy_bound),
    ),
    picture=picture,
)
