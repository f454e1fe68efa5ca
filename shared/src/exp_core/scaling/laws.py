"""The laws of growth that a fit chooses among, and least squares for them: two unknowns, in closed form.

A law f stands for times $t(n) = a + b f(n)$ with $a, b \\ge 0$: what every call costs, and what grows.  Times scatter
by a fraction of themselves, so that errors are relative: weights $1/t^2$, and residuals $\\log t - \\log(a + b f)$.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

REWEIGHTED = 2  # times that the weights are taken anew from the fitted times, which have less noise than the measured
SMALLEST_PART = 0.05  # of a measured time: a fitted one below it counts as so much, however hopeless the law
STEP = 0.1
EXPONENTS = STEP * np.arange(1, 51)  # of the free exponent: where its search begins


@dataclass(frozen=True, slots=True)
class Law:
    """A named function of the size; ``parameters`` counts those beside a and b."""

    name: str
    of: Callable[[Floats], Floats]

    def __str__(self) -> str:
        return self.name


LAWS: tuple[Law, ...] = (
    Law("1", lambda n: np.zeros_like(n)),
    Law("log n", np.log2),
    Law("n", lambda n: n),
    Law("n log n", lambda n: n * np.log2(n)),
    Law("n²", lambda n: n**2),
    Law("n² log n", lambda n: n**2 * np.log2(n)),
    Law("n³", lambda n: n**3),
)
FREE = "n^p"
REFINED = 6  # steps of its search


def power(p: float) -> Law:
    """The law of one exponent."""
    return Law(FREE, lambda n: n**p)


def values(law: Law, n: Floats) -> Floats:
    """The law at the sizes, scaled to 1 at the largest: cubes of sizes would drown the intercept in rounding."""
    f = law.of(n)
    return f / f.max() if f.max() > 0 else f


def least_squares(f: Floats, t: Floats, *, signed: bool = False) -> tuple[Floats, Floats, Floats]:
    """a, b and the sum of squared log residuals of $t = a + b f$ for every row of f and of t together.

    f: shape (laws, 1, points) or any that broadcasts with t, shape (samples, points); the last axis is summed over.
    signed: let a be negative: beyond a cache, a line need not pass above the origin.

    $\\min \\sum w (t - a - b f)^2$ over $a, b \\ge 0$ is convex: its minimum is the one without bounds, if that
    obeys them, else the better one of the two edges, where one unknown is left.  Source: Lawson, Hanson, Solving
    Least Squares Problems (1974), chapter 23.
    """
    model = t * np.ones_like(f)
    for _ in range(1 + REWEIGHTED):
        w = 1 / np.maximum(model, SMALLEST_PART * t) ** 2
        s, sf, sff = w.sum(-1), (w * f).sum(-1), (w * f * f).sum(-1)
        st, sft = (w * t).sum(-1), (w * f * t).sum(-1)
        determinant = s * sff - sf * sf
        free = determinant > 1e-12 * s * sff  # a constant law has no slope to be found
        safe = np.where(free, determinant, 1.0)
        a, b = (sff * st - sf * sft) / safe, (s * sft - sf * st) / safe
        a_alone, b_alone = st / s, np.where(sff > 0, sft / np.where(sff > 0, sff, 1.0), 0.0)
        slope_wins = (sff > 0) & (b_alone * sft > a_alone * st)  # what each edge takes off the sum of squares
        inside = free & (b >= 0) & (signed | (a >= 0))
        a = np.where(inside, a, np.where(slope_wins & ~np.asarray(signed), 0.0, a_alone))
        b = np.where(inside, b, np.where(slope_wins & ~np.asarray(signed), b_alone, 0.0))
        model = a[..., None] + b[..., None] * f
    residual = np.log(t / np.maximum(model, SMALLEST_PART * t))
    rss: Floats = (residual * residual).sum(-1)
    return a, b, rss


def free_exponent(n: Floats, t: Floats, coarse: Floats, *, signed: bool = False) -> tuple[Floats, Floats]:
    """The best exponent and its sum of squares for every row of t; ``coarse`` holds those of the grid.

    About its minimum the sum is a parabola of p: three of its points give the next, four times closer, three.
    """
    x = n / n.max()
    p = EXPONENTS[np.argmin(coarse, axis=0)]
    h = STEP / 2
    for _ in range(REFINED):
        near = np.clip(np.stack([p - h, p, p + h]), EXPONENTS[0], EXPONENTS[-1])
        left, middle, right = least_squares(x ** near[..., None], t, signed=signed)[2]
        bend = left + right - 2 * middle
        step = np.where(bend > 0, 0.5 * h * (left - right) / np.where(bend > 0, bend, 1.0), np.sign(left - right) * h)
        p = np.clip(p + np.clip(step, -h, h), EXPONENTS[0], EXPONENTS[-1])
        h /= 4
    rss: Floats = least_squares(x ** p[..., None], t, signed=signed)[2]
    return p, rss
