"""What a solution may be off by, derived, and what each way of finding it costs.

The residual r that CG carries along is not b - A x: each step rounds x and r apart.  With $X = \\|x\\|$ (in exact
arithmetic from $x_0 = 0$ the iterates grow to x: Hestenes and Stiefel 1952), a step's part of the gap is at most

    rounding of $x + \\alpha p$:  u |A| X, and of $\\alpha p$, which is at most 2 X:  2 u |A| X
    product with m entries a row:  m u |A| 2 X, and times alpha:  2 u |A| X
    rounding of $r - \\alpha Ap$, where r is at most 2 |A| X:  2 u |A| X

together $(2 m + 7) u |A| X$ a step (Greenbaum 1997 has the same form); $|A|$ is $\\| |A| \\|_2$, of a symmetric matrix
at most its largest row sum.  Where half of the unknowns are eliminated, a step has two products, with numbers that are
as large at most ($F^T D^{-1} F$ is below $D$ if A is positive definite): $(4 m + 9) u |A| X$, which is the bound for
all.  Working out b - A x once more adds $(m + 1) u |A| X$ and $u \\|b\\|$.
"""

from __future__ import annotations

import importlib.util

import numpy as np

from exp_core import Cost
from exp_core.remembered import remembered
from exp_core.tensor import unit_roundoff
from maths_exp.linear_algebra._conjugate_gradient_compiled import LIMIT


def residual(result, data, indices, indptr, b, tolerance):
    r"""$\|b - Ax\|$ over what it may be after k steps that stopped at the tolerance: right is at most 1."""
    x, k = result
    m = np.diff(indptr).max()
    norm_A = np.add.reduceat(np.abs(data), indptr[:-1]).max()
    true = np.linalg.norm(b - np.add.reduceat(data * x[indices], indptr[:-1]))
    u, size = unit_roundoff(b), np.linalg.norm(b)
    steps = min(k, LIMIT * b.size)
    allowed = (tolerance + 2 * u) * size + u * ((4 * m + 9) * steps + m + 1) * norm_A * np.linalg.norm(x)
    return true / allowed if allowed else (0.0 if true == 0 else np.inf)


@remembered(16)
def steps(kind, inputs):
    """How many steps "plain" CG takes, or a preconditioned way by its name: nobody knows beforehand, so it is tried.

    The same steps are counted by whoever takes them fastest: at a million unknowns others would need minutes.
    """
    from maths_exp.linear_algebra import conjugate_gradient as cg

    data, indices, indptr, b, _ = inputs
    if kind == "jacobi":
        diagonal = data[np.repeat(np.arange(b.size), np.diff(indptr)) == indices]
        if (diagonal == diagonal[0]).all():  # divided by one number, directions stay what they are
            return steps("plain", inputs)
    if kind == "plain":
        compiled = importlib.util.find_spec("numba") is not None
        return cg.cg_fused(*inputs)[1] if compiled else cg.scipy_cg(*cg.as_scipy(*inputs))[1]
    return getattr(cg, f"cg_{kind.replace(' ', '_')}")(*inputs)[1]


CACHE = 64 * 2**20  # bytes that a cache may keep from one step to the next: only what is beyond it must move again


def per_step(kind, flops, vectors, written, memory, once=0.0, matrix=1.0):
    """A cost: flops(n, entries) a step; the matrix and so many vectors read or written a step; room for vectors.

    written: how many of the vectors are written; the rest of them and the matrix are only read.
    """

    def of(*inputs):
        data, indices, _, b, _ = inputs
        n, entries, k = b.size, data.size, steps(kind, inputs)
        stored = matrix * entries * (data.itemsize + indices.itemsize) + n * indices.itemsize
        a_step, once_read, x = stored + vectors * n * b.itemsize, stored + n * b.itemsize, n * b.itemsize
        past_cache = k * max(0, a_step - CACHE)
        stores = past_cache * written * n * b.itemsize / a_step + x
        room = memory(n, entries) * b.itemsize
        return Cost(k * flops(n, entries) + once * entries, past_cache + once_read + x, room, stores)

    return of


def plain(n, entries):
    """Two flops an entry; two dots and three axpys of two flops an unknown."""
    return 2 * entries + 10 * n


# Vectors moved a step, unfused: the product 2, the dots 2 + 1, three axpys of 3.  Fused: 5 + 2 + 3.  All write Ap, x, r
# and p.
PLAIN = per_step("plain", plain, 14, 4, lambda n, entries: 8 * n)
FUSED = per_step("plain", plain, 10, 4, lambda n, entries: 4 * n)
# No column numbers: two thirds of the bytes of an entry of float64 with int32.  Turned into diagonals once.
DIAGONALS = per_step("plain", plain, 10, 4, lambda n, entries: 5 * n + 2 * entries, 0, 2 / 3)
# Four passes over vectors of n/2: 4 + 6 + 3 + 4, the three that are A's diagonal already counted as entries.
# Five of n/2 are written: x, p, y, Sp and r.
RED_BLACK = per_step(
    "red black", lambda n, entries: 2 * entries + 6 * n, 7, 2.5, lambda n, entries: 7 * n + 2 * entries
)


def STENCIL(*inputs):  # noqa: N802  (a row of the table above)
    """A byte an entry of F, which is half of A without its diagonal; x, r, p and Sp, of n/2, are read and written."""
    n, entries, k = inputs[3].size, inputs[0].size, steps("red black", inputs)
    there = (entries - n) // 2
    past_cache = k * max(0, there + 4 * n * 8 - CACHE)
    stores = past_cache * 2 * n * 8 / (there + 4 * n * 8) + n * 8
    return Cost(k * (2 * entries + 5 * n), past_cache + entries * 12 + 4 * n + 2 * n * 8, there + 7 * n * 8, stores)


def TRIANGULAR(kind):  # noqa: N802  (a family of the constants above)
    """The triangle of A and its factor have half the entries each: read forwards, backwards, and A itself once.

    Ap, x, r and p are written once a step, and z by either solve.
    """
    return per_step(kind, lambda n, entries: 4 * entries + 12 * n, 18, 6, lambda n, entries: 6 * n + entries, 2, 2)


def JACOBI(scaled):  # noqa: N802  (a family of the constants above)
    """Jacobi, or with a diagonal of ones plain, CG on whole arrays: the gathered products are stored.

    Written are Ap, z, and each of x, r and p after the product that is added to it.
    """
    kind = "jacobi" if scaled else "plain"
    return per_step(kind, lambda n, entries: 2 * entries + 13 * n, 19, 8, lambda n, entries: 10 * n + 4 * entries)


def DENSE(*inputs):  # noqa: N802  (a row of the table above)
    """The zeros are multiplied too."""
    n, k = inputs[3].size, steps("plain", inputs)
    return Cost(k * (2 * n * n + 10 * n), (n * n + 2 * n) * 8 + k * max(0, n * n * 8 - CACHE), 8 * n * 8, n * 8)
