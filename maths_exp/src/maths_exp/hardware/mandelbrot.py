"""Mandelbrot set: a million loops of different lengths, run side by side.

Problem   For each point c of a grid count the steps of $z \\leftarrow z^2 + c$, from $z = 0$, at which $|z| \\le 2$, up
          to N.  Given are the real parts a, shape (width,), and the imaginary parts b, shape (height,); the counts have
          shape (height, width), int32.
Idea      Eight operations a step, and nothing to load: only arithmetic counts.  But each point needs the last step's z,
          and each stops at another time.  Keep many points in flight to hide the latency, and ask seldom who has left.
Look for  The compiled loop waits for its own results: one point at a time leaves most of the multiply-add units idle.
          Tiles fill them and come to half of the peak: three of the five instructions of a step are additions, which
          are half a multiply-add each, and points that have left are carried along by their neighbours.  On seahorses
          that is most of the work: a fifth of the peak.  NumPy moves z through memory at every step.
          In the problem `deep` a pixel is ten units in the last place wide: rounding decides every fourth count, and
          programs differ there.  All are right: each count lies in the range that rounding allows.
Source    A. Douady, J. H. Hubbard, Etude dynamique des polynomes complexes, Publications Mathematiques d'Orsay 84-02
          (1984).
          N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), doi:10.1137/1.9780898718027,
          section 3.1.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from exp_core import Cost, Experiment, Implementation, Problem
from exp_core.compiled import FUSE, njit
from maths_exp.hardware._mandelbrot_enclosure import enclosure, misplaced, undecided
from maths_exp.hardware._mandelbrot_picture import picture
from maths_exp.hardware._mandelbrot_tiles import tiles, tiles_threads

SAMPLED = 64  # points along each side from which the cost is estimated


def loops(a, b, iterations):
    """Point after point, step after step."""
    counts = np.zeros((b.size, a.size), np.int32)
    for row, y0 in enumerate(b):
        for column, x0 in enumerate(a):
            x = y = x0 - x0
            k = 0
            while k < iterations:
                xx, yy = x * x, y * y
                if xx + yy > 4:
                    break
                x, y = xx - yy + x0, 2 * x * y + y0
                k += 1
            counts[row, column] = k
    return counts


def numpy_points(a, b, iterations):
    """One step of all points at once; those that have left are taken out of the arrays."""
    counts = np.full(b.size * a.size, iterations, np.int32)
    x0, y0 = (part.ravel() for part in np.meshgrid(a, b))
    inside, x, y = np.arange(x0.size), np.zeros_like(x0), np.zeros_like(x0)
    for k in range(iterations):
        xx, yy = x * x, y * y
        stays = xx + yy <= 4
        counts[inside[~stays]] = k
        inside, x0, y0 = inside[stays], x0[stays], y0[stays]
        x, y = xx[stays] - yy[stays] + x0, 2 * x[stays] * y[stays] + y0
    return counts.reshape(b.size, a.size)


@njit(fastmath=FUSE)
def loops_compiled(a, b, iterations):
    """The loops again, compiled: each step waits for the one before it, and each for the question whether to go on."""
    counts = np.empty((b.size, a.size), np.int32)
    four, two, zero = a.dtype.type(4), a.dtype.type(2), a.dtype.type(0)
    for row in range(b.size):
        for column in range(a.size):
            x, y, k = zero, zero, 0
            while k < iterations and x * x + y * y <= four:
                x, y = x * x - y * y + a[column], two * x * y + b[row]
                k += 1
            counts[row, column] = k
    return counts


def numpy_complex(a, b, iterations):
    """What everybody writes: complex arrays and a mask."""
    c = a[None, :] + 1j * b[:, None]  # complex64 for float32
    z, counts = np.zeros_like(c), np.zeros(c.shape, np.int32)
    inside = np.ones(c.shape, bool)
    for _ in range(iterations):
        inside &= abs(z) <= 2
        counts[inside] += 1
        z[inside] = z[inside] ** 2 + c[inside]
    return counts


def window(centre, size, width, height, iterations, dtype):
    """The grid around a point: as wide as `size`, and as high as the number of its rows makes it.

    Raises ValueError for more steps than an int32 counts.
    """
    if iterations > np.iinfo(np.int32).max:
        raise ValueError(f"counts are int32: at most {np.iinfo(np.int32).max} iterations, not {iterations}")
    across = (np.arange(width) - (width - 1) / 2) * (size / width)
    down = (np.arange(height) - (height - 1) / 2) * (size / width)
    return (centre.real + across).astype(dtype), (centre.imag + down).astype(dtype), iterations


def whole(
    width: Annotated[int, "points across"] = 768,
    height: Annotated[int, "points down"] = 640,
    iterations: Annotated[int, "steps at most, N"] = 500,
    *,
    dtype,
    rng,
):
    """All of the set: a fifth of the points never leaves, and takes nine tenths of the time."""
    return window(-0.75, 3.0, width, height, iterations, dtype)


def seahorses(
    width: Annotated[int, "points across"] = 768,
    height: Annotated[int, "points down"] = 640,
    iterations: Annotated[int, "steps at most, N"] = 2000,
    *,
    dtype,
    rng,
):
    """The valley between the heart and the disc: every tile has points that leave early and points that leave late."""
    return window(-0.7453 + 0.1127j, 0.0065, width, height, iterations, dtype)


def deep(
    width: Annotated[int, "points across"] = 96,
    height: Annotated[int, "points down"] = 80,
    iterations: Annotated[int, "steps at most, N"] = 300,
    *,
    dtype,
    rng,
):
    """Beside c = i, so near that rounding has the say: a thousand units in the last place from edge to edge."""
    size = 1024 * float(np.finfo(dtype).eps)
    return window(1j + size * (0.25 + 0.25j), size, width, height, iterations, dtype)


def steps(a, b, iterations):
    """Steps of all points together: counted on every one of a small grid, estimated from 64 x 64 of a larger one."""
    sample = [x[:: max(1, -(-x.size // SAMPLED))] for x in (a, b)]
    with np.errstate(all="ignore"):
        return float(numpy_points(*sample, iterations).mean(dtype=np.float64)) * a.size * b.size


def cost(flops, words):
    """So many operations a step, and so many numbers of each point in memory at a time; the counts are written."""

    def at(a, b, iterations):
        points = a.size * b.size
        once = a.nbytes + b.nbytes + 4 * points
        return Cost(flops=flops * steps(a, b, iterations), bytes=once, memory=4 * points + words * a.itemsize * points)

    return at


def nothing(a, b, iterations):
    """Every count has to lie in the range that rounding allows."""
    return 0.0


SIZES = {"width": 33, "height": 23, "iterations": 60}
AWKWARD = (
    {"width": 1, "height": 1, "iterations": 1},
    {"width": 17, "height": 1, "iterations": 9},
    {"width": 1, "height": 13, "iterations": 8},
    {"width": 31, "height": 29, "iterations": 7},
)

EXPERIMENT = Experiment(
    problems=(
        Problem(whole, small=SIZES, awkward=AWKWARD),
        Problem(seahorses, kind="hard", small=SIZES | {"iterations": 300}, awkward=AWKWARD),
        Problem(deep, kind="hard", small=SIZES | {"iterations": 300}, awkward=AWKWARD),
    ),
    oracle=enclosure,
    laws={"counts out of range": misplaced},
    figures={"% decided by rounding": undecided},
    implementations=(
        Implementation(loops, "textbook", cost=cost(8, 0), bound=nothing),
        Implementation(numpy_points, "vectorised", cost=cost(8, 12), bound=nothing),
        Implementation(loops_compiled, "compiled", cost=cost(8, 0), bound=nothing),
        Implementation(tiles, "compiled", cost=cost(8, 0), bound=nothing),
        Implementation(tiles_threads, "compiled", cost=cost(8, 0), bound=nothing),
        Implementation(numpy_complex, "library", cost=cost(8, 12), bound=nothing),
    ),
    picture=picture,
)
