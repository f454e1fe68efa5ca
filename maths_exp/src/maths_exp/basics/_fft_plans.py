"""What is made once for all signals of a length, outside of the timing: weights, working storage, workers."""

from __future__ import annotations

import importlib.util

import numpy as np

from exp_core import Skip
from maths_exp.basics._fft_exact import roots


def with_roots(x):
    """The roots of unity, which a user computes once for all signals of a length."""
    return x, roots(x.shape[-1], x.dtype)


def with_matrix(x):
    """All weights w**(jk)."""
    n = x.shape[-1]
    j = np.arange(n)
    return x, roots(n, x.dtype)[np.outer(j, j) % n]


def with_plan(plan):
    """Weights and working storage, made once: SciPy keeps its own plans likewise, from one call to the next."""
    return lambda x: (x, plan(x))


def with_workers(x):
    """As many workers as Numba has threads; they share rows, so that one row has one worker."""
    if importlib.util.find_spec("numba") is None:
        return x, -1  # one for each core
    import numba

    return x, numba.get_num_threads()


def power_of_two_only(x):
    """Radix-2 algorithms halve until one number is left."""
    n = x.shape[-1]
    if n & (n - 1) == 0:
        return None
    return Skip(f"n = {n} is not a power of two", f"choose one, such as --n {1 << (n.bit_length() - 1)}")
