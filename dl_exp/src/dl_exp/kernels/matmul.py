"""Matrix product on a GPU: it is not the multiplying that takes long, it is the fetching.

Problem   $C = AB$, $c_{ij} = \\sum_p a_{ip} b_{pj}$; A is (m, k), B is (k, n), C (m, n) of their dtype.  All sums are
          made in float32.
Idea      2mkn operations on mk + kn + mn numbers.  A thread that makes one entry fetches 2k numbers for 2k operations.
          A group that makes a tile of s by s entries fetches each number once for s uses: s flops for every number.
          The same holds a level higher: a thread that keeps a tile in registers spares shared memory.
Look for  On a GPU, each kernel's fraction of the limit.  Here, whether all of them are right: with --metal --emulate.
          On a processor the tile is one of vector registers.
Source    V. Volkov, J. Demmel, Benchmarking GPUs to tune dense linear algebra, SC (2008), doi:10.1109/SC.2008.5214359.
          N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), doi:10.1137/1.9780898718027,
          section 3.5.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from dl_exp.engine.product import K_BLOCK, product
from dl_exp.engine.tile import columns
from dl_exp.kernels._matmul_kernel import entry_kernel, register_kernel, simdgroup_kernel, tiled_kernel
from dl_exp.kernels._matmul_picture import picture
from exp_core import Cost, Experiment, Implementation, Problem
from exp_core.compiled import njit, prange
from exp_core.tensor import dtype_name, from_numpy, gamma, normal, unit_roundoff


def three_loops(a, b):
    """The definition: each entry is a row of A times a column of B, term by term."""
    (m, k), n = a.shape, b.shape[1]
    left, right = a.astype(np.float32), b.astype(np.float32)
    c = np.empty((m, n), np.float32)
    for i in range(m):
        for j in range(n):
            s = left[i, 0] * right[0, j]
            for p in range(1, k):
                s = s + left[i, p] * right[p, j]
            c[i, j] = s
    return c.astype(a.dtype)


def outer_products(a, b):
    """Whole arrays on the device: C is a sum of k matrices of rank one, and passes through memory k times."""
    import mlx.core as mx

    left, right = a.astype(mx.float32), b.astype(mx.float32)
    c = mx.zeros((a.shape[0], b.shape[1]))
    for p in range(a.shape[1]):
        c = c + left[:, p : p + 1] * right[p]
    return c.astype(a.dtype)


def tiles_compiled(a, b):
    """Compile it for the processor: threads share the rows of C, whose tiles stay in vector registers."""
    from numba import get_num_threads

    c = np.empty((a.shape[0], b.shape[1]), a.dtype)
    panels = np.empty((get_num_threads(), K_BLOCK, columns(a.itemsize)), a.dtype)
    _parts(a, b, c, panels)
    return c


@njit(parallel=True)
def _parts(a, b, c, panels):
    rows = (len(a) + len(panels) - 1) // len(panels)
    for part in prange(len(panels)):
        begin, end = part * rows, min(part * rows + rows, len(a))
        if begin < end:
            product(a[begin:end], b, c[begin:end], False, panels[part])


def library(a, b):
    """mx.matmul."""
    import mlx.core as mx

    return mx.matmul(a, b)


def exact(a, b):
    """In float64: its own error is $2^{-29}$ of what is measured."""
    return a.astype(np.float64) @ b.astype(np.float64)


def componentwise(c, a, b, truth):
    r"""The largest $|\hat c - c| / |A||B|$, entry by entry; what lies below the normal numbers may be lost.

    A product below $2^{-126}$ may become zero on a GPU; a result below float16's smallest normal number is rounded to
    a multiple of $2^{-24}$: to half of that, which is that number times u.
    """
    if c.shape != truth.shape or dtype_name(c) != dtype_name(a):
        return math.inf
    lost = float(np.finfo(np.float32).tiny) / unit_roundoff("float32")
    if dtype_name(a) == "float16":
        lost += float(np.finfo(np.float16).tiny)
    size = np.abs(a.astype(np.float64)) @ np.abs(b.astype(np.float64)) + lost
    error = np.abs(c.astype(np.float64) - truth) / size
    return float(error.max()) if not np.isnan(error).any() else math.nan


def gaussian(
    m: Annotated[int, "rows of A and C"] = 512,
    k: Annotated[int, "columns of A, rows of B"] = 512,
    n: Annotated[int, "columns of B and C"] = 512,
    *,
    dtype,
    rng,
):
    """Independent normal entries: all of one size."""
    return normal(rng, (m, k), dtype), normal(rng, (k, n), dtype)


def graded(
    m: Annotated[int, "rows of A and C"] = 509,
    k: Annotated[int, "columns of A, rows of B"] = 211,
    n: Annotated[int, "columns of B and C"] = 307,
    *,
    dtype,
    rng,
):
    """Sides that are primes, rows and columns scaled down to $2^{-4}$: small entries are held to their own size."""
    rows, columns = (2.0 ** -np.round(np.linspace(0, 4, side)) for side in (m, n))
    a, b = rng.standard_normal((m, k)) * rows[:, None], rng.standard_normal((k, n)) * columns
    return from_numpy(a, "numpy", dtype), from_numpy(b, "numpy", dtype)


def inner_products(a, b):
    """Higham (2002), (3.13): k terms in float32, in any order; and the entry is rounded once to its type."""
    return gamma(a.shape[1], "float32") + (unit_roundoff(a) if dtype_name(a) != "float32" else 0.0)


def work(copies=0.0):
    """A cost: 2mkn operations; A and B are read and C is written once; so many float32 copies of all three."""

    def cost(a, b):
        entries = a.shape[0] * b.shape[1]
        numbers = a.size + b.size + entries
        return Cost(2.0 * a.size * b.shape[1], a.itemsize * numbers, copies * 4 * numbers)

    return cost


SMALL = {"m": 20, "k": 24, "n": 28}
AWKWARD = (
    {"m": 1, "k": 1, "n": 1},
    {"m": 1, "k": 7, "n": 5},
    {"m": 17, "k": 16, "n": 15},
    {"m": 65, "k": 33, "n": 3},
    {"m": 3, "k": 17, "n": 67},
)
GPUS = {"arrays": "mlx", "devices": ("metal", "cuda"), "cost": work(), "bound": inner_products}

EXPERIMENT = Experiment(
    problems=(
        Problem(gaussian, small=SMALL, awkward=AWKWARD),
        Problem(graded, kind="hard", small={"m": 31, "k": 11, "n": 13}, awkward=AWKWARD),
    ),
    dtypes=("float32", "float16", "bfloat16"),
    oracle=exact,
    laws={"componentwise": componentwise},
    implementations=(
        Implementation(three_loops, "textbook", cost=work(copies=1), bound=inner_products),
        Implementation(outer_products, "vectorised", cost=work(copies=2), bound=inner_products, arrays="mlx"),
        Implementation(tiles_compiled, "compiled", cost=work(), bound=inner_products, dtypes=("float32",)),
        Implementation(entry_kernel, "kernel", **GPUS),
        Implementation(tiled_kernel, "kernel", **GPUS),
        Implementation(register_kernel, "kernel", **GPUS),
        Implementation(simdgroup_kernel, "kernel", **GPUS | {"devices": ("metal",)}),
        Implementation(library, "library", cost=work(), bound=inner_products, arrays="mlx"),
    ),
    picture=picture,
)
