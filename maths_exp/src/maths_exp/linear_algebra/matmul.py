"""Matrix multiplication: the same arithmetic at every speed, from 0.005 to 90 multiply-adds a nanosecond.

Problem   $C = AB$, $c_{ij} = \\sum_p a_{ip} b_{pj}$; A is (m, k), B is (k, n), both row after row in memory.
Idea      2mkn operations on mk + kn + mn numbers: each number is used many times, so the game is to keep it near. Loops
          in another order run along rows; blocks stay in a cache; a tile of C stays in the registers. Strassen instead
          does fewer operations, and gives up that each entry is right by its own measure.
Look for  How many of the seven do the same 2mkn operations, and what fraction of the limit each reaches.
          On the graded problem Strassen loses some twelve digits of the smallest entries; nobody else loses any.
          Why the library wins below n = 100: packing takes $n^2$ moves, which $n^3$ flops repay only later; OpenBLAS
          has kernels for small matrices that do not pack.
Source    K. Goto, R. van de Geijn, Anatomy of High-Performance Matrix Multiplication, ACM TOMS 34 (2008), article 12,
          doi:10.1145/1356052.1356053.
          N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), doi:10.1137/1.9780898718027,
          sections 3.5 and 23.2.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from exp_core import Cost, Experiment, Implementation, Problem
from exp_core.compiled import FUSE, njit, prange
from exp_core.tensor import unit_roundoff
from maths_exp.linear_algebra import _matmul_check as check
from maths_exp.linear_algebra._matmul_packed import packed_compiled, packed_cost
from maths_exp.linear_algebra._matmul_picture import picture
from maths_exp.linear_algebra._matmul_strassen import strassen, strassen_bound, strassen_cost

BLOCK = 64  # rows of B in a cache block
WIDTH = 512  # its columns: 64 x 512 doubles are 256 KiB, a second-level cache's share


def three_loops(a, b):
    """The definition: each entry is a row of A times a column of B, term by term."""
    (m, k), n = a.shape, b.shape[1]
    c = np.empty((m, n), a.dtype)
    for i in range(m):
        for j in range(n):
            s = a[i, 0] * b[0, j]
            for p in range(1, k):
                s = s + a[i, p] * b[p, j]
            c[i, j] = s
    return c


def outer_products(a, b):
    """Put the loop over p outside: C is a sum of k matrices of rank one, and passes through memory k times."""
    c = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for p in range(a.shape[1]):
        c += np.multiply.outer(a[:, p], b[p])
    return c


def row_times_matrix(a, b):
    """Put the loop over i outside: a row of C is a row of A times B, and it is B that passes by m times."""
    c = np.empty((a.shape[0], b.shape[1]), a.dtype)
    for i in range(a.shape[0]):
        c[i] = a[i] @ b
    return c


@njit(parallel=True, fastmath=FUSE)
def blocked_compiled(a, b):
    """Compile the loops in the order i, p, j, along rows, on blocks of B that stay in a cache while rows of A pass."""
    (m, k), n = a.shape, b.shape[1]
    c = np.zeros((m, n), a.dtype)
    for block in prange((m + BLOCK - 1) // BLOCK):
        for p_block in range(0, k, BLOCK):
            for j in range(0, n, WIDTH):
                for i in range(block * BLOCK, min((block + 1) * BLOCK, m)):
                    row = c[i, j : j + WIDTH]
                    for p in range(p_block, min(p_block + BLOCK, k)):
                        a_ip, b_p = a[i, p], b[p, j : j + WIDTH]
                        for x in range(row.size):  # vectors: two loads and a store for each multiply-add
                            row[x] += a_ip * b_p[x]
    return c


def numpy_matmul(a, b):
    """np.matmul: the BLAS that NumPy was built with, in threads."""
    return np.matmul(a, b)


def normal(
    m: Annotated[int, "rows of A and C"] = 512,
    k: Annotated[int, "columns of A, rows of B"] = 512,
    n: Annotated[int, "columns of B and C"] = 512,
    *,
    dtype,
    rng,
):
    """Independent normal entries: all of one size."""
    return rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)


def slender(
    m: Annotated[int, "rows of A and C"] = 10_007,
    k: Annotated[int, "columns of A, rows of B"] = 211,
    n: Annotated[int, "columns of B and C"] = 37,
    *,
    dtype,
    rng,
):
    """Sides that are prime numbers, one long and one short: nothing is a multiple of any block."""
    return normal(m, k, n, dtype=dtype, rng=rng)


def graded(
    m: Annotated[int, "rows of A and C"] = 512,
    k: Annotated[int, "columns of A, rows of B"] = 512,
    n: Annotated[int, "columns of B and C"] = 512,
    *,
    dtype,
    rng,
):
    """Rows of A and columns of B scaled down, step by step, to $2^{-20}$: C reaches over twelve orders of magnitude."""
    a, b = normal(m, k, n, dtype=dtype, rng=rng)
    rows, columns = (2.0 ** -np.round(np.linspace(0, 20, side)) for side in (m, n))  # powers of two: no rounding
    return (a * rows[:, None]).astype(dtype), (b * columns).astype(dtype)


def digits(c, a, b, truth):
    """Correct decimal digits of the worst entry, by its own measure $|A||B|$."""
    return -math.log10(max(check.componentwise(c, a, b, truth), unit_roundoff("float64")))


def product_cost(copies):
    """2mkn operations; A and B are read and C is written once; so many further arrays of the size of C."""

    def cost(a, b):
        result = a.itemsize * a.shape[0] * b.shape[1]
        return Cost(2.0 * a.size * b.shape[1], a.nbytes + b.nbytes + result, (1 + copies) * result)

    return cost


ORDINARY = {"componentwise": check.ordinary_componentwise, "normwise": check.ordinary_normwise}
STRASSEN = {"componentwise": check.componentwise_from(strassen_bound), "normwise": strassen_bound}
AWKWARD = (
    {"m": 1, "k": 1, "n": 1},
    {"m": 1, "k": 67, "n": 31},
    {"m": 67, "k": 1, "n": 3},
    {"m": 13, "k": 401, "n": 61},
    {"m": 67, "k": 66, "n": 65},  # just above the leaf of Strassen's recursion
)

EXPERIMENT = Experiment(
    problems=(
        Problem(normal, small={"m": 20, "k": 24, "n": 28}, awkward=AWKWARD),
        Problem(slender, kind="hard", small={"m": 97, "k": 11, "n": 5}, awkward=({"m": 1009, "k": 7, "n": 2},)),
        Problem(graded, kind="hard", small={"m": 20, "k": 24, "n": 28}, awkward=AWKWARD),
    ),
    oracle=check.oracle,
    laws={"componentwise": check.componentwise, "normwise": check.normwise},
    figures={"digits": digits},
    implementations=(
        Implementation(three_loops, "textbook", cost=product_cost(0), bound=ORDINARY),
        Implementation(outer_products, "vectorised", cost=product_cost(1), bound=ORDINARY),
        Implementation(row_times_matrix, "vectorised", cost=product_cost(0), bound=ORDINARY),
        Implementation(strassen, "vectorised", cost=strassen_cost, bound=STRASSEN),
        Implementation(blocked_compiled, "compiled", cost=product_cost(0), bound=ORDINARY),
        Implementation(packed_compiled, "compiled", cost=packed_cost, bound=ORDINARY),
        Implementation(numpy_matmul, "library", cost=product_cost(0), bound=ORDINARY),
    ),
    picture=picture,
)
