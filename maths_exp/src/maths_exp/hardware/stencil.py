"""Stencil: heat spreads on a plate, and each step waits for memory.

Problem   A plate u of rows x columns temperatures whose edge is kept as it is.  In each step every other point takes
          $\\alpha$ of the difference to each of its four neighbours:
          $u_{ij} \\leftarrow (1 - 4\\alpha) u_{ij} + \\alpha (u_{i-1,j} + u_{i+1,j} + u_{i,j-1} + u_{i,j+1})$, with
          $0 \\le \\alpha \\le 1/4$.  Find the plate after a number of steps.
Idea      Six operations a point, for sixteen bytes that memory has to move: arithmetic is free, and all that counts is
          how often a number travels.  Array expressions send it through memory once for each operator; a loop once a
          step.  To do better, take many steps of a tile while it is in cache: memory sees the plate once.
Look for  `rows_threads` waits for memory, as every program must that goes step by step.  It updates the plate in place,
          with a copy of one row: one grid where the others have two, a sweep down and one up in turns, and each line
          asked for before it is needed.  Of 14 ms for 2048 x 2048 points 1.9 go to a grid of fresh pages, which the
          system fills with zeros.  Such a plate is as large as the last cache: where a sweep turns it finds what it has
          just left there, and so its limit is that of the one plate that it comes back to, not of all that there is.
          At --rows 4096 --columns 4096 `time_tiles`, with the same additions in the same order, is faster than memory
          lets those be who go step by step: its own limit, arithmetic, is far away, as a cache has to deliver it all.
          On a plate that fits into the cache (--rows 256 --columns 256) the tiles gain nothing.
Source    R. Courant, K. Friedrichs, H. Lewy, Ueber die partiellen Differenzengleichungen der mathematischen Physik,
          Mathematische Annalen 100 (1928), 32-74, doi:10.1007/BF01448839.  K. Datta et al., Optimization and
          performance modeling of stencil computations on modern microprocessors, SIAM Review 51 (2009), 129-159,
          doi:10.1137/070693199.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from exp_core import Cost, Experiment, Implementation, Problem
from maths_exp.hardware._stencil_compiled import DEPTH, rows_compiled, rows_threads, time_tiles
from maths_exp.hardware._stencil_picture import picture


def loops(u, alpha, steps):
    """Point after point."""
    rows, columns = u.shape
    alpha = u.dtype.type(alpha)
    c = 1 - 4 * alpha
    old, new = u.copy(), u.copy()
    for _ in range(steps):
        for i in range(1, rows - 1):
            for j in range(1, columns - 1):
                around = (old[i - 1, j] + old[i + 1, j]) + (old[i, j - 1] + old[i, j + 1])
                new[i, j] = c * old[i, j] + alpha * around
        old, new = new, old
    return old


def numpy_slices(u, alpha, steps):
    """All points at once: the four neighbours are the same array, shifted."""
    alpha = u.dtype.type(alpha)
    c = 1 - 4 * alpha
    old, new = u.copy(), u.copy()
    for _ in range(steps):
        around = (old[:-2, 1:-1] + old[2:, 1:-1]) + (old[1:-1, :-2] + old[1:-1, 2:])
        new[1:-1, 1:-1] = c * old[1:-1, 1:-1] + alpha * around
        old, new = new, old
    return old


def scipy_correlate(u, alpha, steps):
    """`scipy.ndimage.correlate` with the weights as a 3 x 3 matrix, and the edge put back after each step."""
    from scipy.ndimage import correlate

    alpha = u.dtype.type(alpha)
    weights = np.array([[0, alpha, 0], [alpha, 1 - 4 * alpha, alpha], [0, alpha, 0]], u.dtype)
    old, new = u.copy(), u.copy()
    inside = np.s_[1:-1, 1:-1]
    result = np.empty_like(u)
    for _ in range(steps):
        correlate(old, weights, output=result)
        new[inside] = result[inside]
        old, new = new, old
    return old


def hot_plate(
    rows: Annotated[int, "points down"] = 2048,
    columns: Annotated[int, "points across"] = 2048,
    steps: Annotated[int, "steps in time"] = 20,
    alpha: Annotated[float, "part of a difference that flows in a step, at most 1/4"] = 0.2,
    *,
    dtype,
    rng,
):
    """A cold plate with warm discs, and one hot edge that stays hot."""
    y, x = np.ogrid[0 : 1 : complex(rows), 0 : 1 : complex(columns)]
    u = np.zeros((rows, columns), dtype)
    for down, across, heat in zip(*rng.random((3, 8)), strict=True):
        u[(y - down) ** 2 + (x - across) ** 2 < 0.01] = 0.5 + heat / 2
    u[0] = 1
    return u, stable(alpha), steps


def checkerboard(
    rows: Annotated[int, "points down"] = 2048,
    columns: Annotated[int, "points across"] = 2048,
    steps: Annotated[int, "steps in time"] = 20,
    alpha: Annotated[float, "part of a difference that flows in a step, at most 1/4"] = 0.25,
    *,
    dtype,
    rng,
):
    """Hot and cold in turns: the shortest wave, which the largest stable step turns over and does not damp."""
    return (np.indices((rows, columns)).sum(axis=0) % 2).astype(dtype), stable(alpha), steps


def photograph(
    every: Annotated[int, "every n-th pixel of 427 x 640"] = 1,
    steps: Annotated[int, "steps in time"] = 20,
    alpha: Annotated[float, "part of a difference that flows in a step, at most 1/4"] = 0.2,
    *,
    dtype,
    rng,
):
    r"""The Summer Palace, blurred as heat would blur it: n steps are a Gaussian of variance $2 \alpha n$."""
    from sklearn.datasets import load_sample_image

    grey = load_sample_image("china.jpg").mean(axis=2) / 255
    return np.ascontiguousarray(grey[::every, ::every], dtype), stable(alpha), steps


def stable(alpha):
    """The part, if the heat then spreads; beyond a quarter each step adds to the error of the last."""
    if not 0 <= alpha <= 0.25:
        raise ValueError(f"alpha = {alpha:g} is not from 0 to 1/4: heat would flow back, and the steps would blow up")
    return alpha


def in_double(u, alpha, steps):
    """The plate after the steps, in float64, with the weight rounded as everybody rounds it."""
    return numpy_slices(u.astype(np.float64), float(u.dtype.type(alpha)), steps)


def error(result, u, alpha, steps, exact):
    """Largest error of a temperature, relative to the largest temperature."""
    scale = float(np.abs(u).max()) or 1.0
    return float(np.abs(result.astype(np.float64) - exact).max()) / scale


def rounded(operations):
    """How far rounding may take a temperature, if so many roundings follow each other in a step.

    A step is a mean with weights of one sign that add up to one: it carries errors on and never enlarges them, and adds
    $\\gamma_k \\max|u|$ of its own.  After n steps $e_n \\le ((1 + \\gamma_k)^n - 1) \\max|u|$.  The answer in
    float64 that it is compared with errs likewise.  Higham (2002), section 3.1; what underflows is less than the
    smallest normal number in each operation.
    """

    def bound(u, alpha, steps):
        scale = float(np.abs(u).max()) or 1.0
        total = 0.0
        for dtype, k in ((u.dtype, operations), (np.dtype(np.float64), 4)):
            ku = k * np.finfo(dtype).eps / 2
            total += np.expm1(steps * np.log1p(ku / (1 - ku))) + steps * 6 * float(np.finfo(dtype).tiny) / scale
        return float(total)

    return bound


def cost(reads, writes, fused=1, grids=2, again=None):
    """Six operations a point and step; the plate is read and written so often in `fused` steps.

    again: grids that a sweep comes back to, where those are not all.
    """

    def at(u, alpha, steps):
        moved = float(u.nbytes * -(-steps // fused))
        back = None if again is None else again * u.nbytes
        return Cost(6.0 * u.size * steps, (reads + writes) * moved, grids * u.nbytes, writes * moved, back)

    return at


SMALL = {"rows": 23, "columns": 37, "steps": 5}
AWKWARD = tuple(
    {"rows": rows, "columns": columns, "steps": steps}
    for rows, columns, steps in ((1, 1, 1), (2, 7, 3), (7, 2, 2), (3, 3, DEPTH + 1), (1, 5, 1))
)

EXPERIMENT = Experiment(
    problems=(
        Problem(hot_plate, small=SMALL, awkward=AWKWARD),
        Problem(checkerboard, kind="hard", small=SMALL, awkward=AWKWARD),
        Problem(photograph, kind="real", small={"every": 20}, thins=("every",), requires=("sklearn", "PIL")),
    ),
    oracle=in_double,
    laws={"relative error": error},
    implementations=(
        Implementation(loops, "textbook", cost=cost(1, 1), bound=rounded(4)),
        # grids read for two sums of neighbours 1 + 1, their sum 2, products 1 + 1, the sum 2, the copy 1; seven written
        Implementation(numpy_slices, "vectorised", cost=cost(9, 7), bound=rounded(4)),
        Implementation(rows_compiled, "compiled", cost=cost(1, 1), bound=rounded(4)),
        Implementation(rows_threads, "compiled", cost=cost(1, 1, grids=1, again=1), bound=rounded(4)),
        Implementation(time_tiles, "compiled", cost=cost(1, 1, DEPTH), bound=rounded(4)),
        Implementation(scipy_correlate, "library", cost=cost(1, 1), bound=rounded(7)),
    ),
    picture=picture,
)
