"""Sizes at which the cost of an element changes: where the data leave a cache, or a library takes another path.

One law over all sizes is held against the same law with other constants on either side of a break, at every place that
leaves four sizes on both sides.  The best of many breaks always gains something, so what it gains by chance is
simulated, as in fit.py: times drawn from the best single law, the best break of each draw.  A break counts if its gain
is beyond 99% of those, and if it halves the sum of squares.  Both sides are searched again.

Beyond a break the intercept may be negative: $t = t_c + b_2 (f(n) - f(n_c))$ with a steeper $b_2$ starts below 0.

Source: D. W. K. Andrews, Tests for parameter instability and structural change with unknown change point,
Econometrica 61 (1993): the supremum over breaks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from exp_core.scaling.fit import Fit, fit
from exp_core.scaling.laws import LAWS, Floats, least_squares, power, values

LEAST_SIDE = 4  # sizes on each side of a break
DRAWS = 200
LEVEL = 0.99
GAIN = 2.0  # factor by which a break must lower the sum of squares
NEAR = 2.0  # factor of working sets within which a cache's capacity explains a break
EXPONENTS = np.arange(0.2, 4.01, 0.2)
CACHES = (("L1", "l1d_bytes"), ("L2", "l2_bytes"), ("L3", "l3_bytes"))


@dataclass(frozen=True, slots=True)
class Break:
    """A change of cost between two neighbouring sizes, and the cache that the data leave there (empty if none does)."""

    below: float
    above: float
    cause: str = ""

    @property
    def at(self) -> float:
        """The middle on a logarithmic scale, for a mark in a plot."""
        return math.sqrt(self.below * self.above)

    def __str__(self) -> str:
        return f"{self.below:g} to {self.above:g}" + (f", where the data leave {self.cause}" if self.cause else "")


@dataclass(frozen=True, slots=True)
class Growth:
    """Regimes, smallest sizes first, and the breaks between them; no fit where there are too few sizes."""

    fits: tuple[Fit | None, ...]
    breaks: tuple[Break, ...]

    @property
    def last(self) -> Fit | None:
        """The fit of the largest sizes that have one: the regime whose law is reported."""
        return next((fit for fit in reversed(self.fits) if fit is not None), None)


def grow(
    n: Sequence[float],
    t: Sequence[float],
    working_set: Sequence[float] | None = None,
    caches: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Growth:
    """Find the regimes of the times ``t``, seconds, at the sizes ``n``, and fit each.

    working_set: bytes that a call touches, at each size; caches: bytes by name, as ``cache_sizes`` gives them.
    Raises ValueError for sizes or times that are not positive.
    """
    order = np.argsort(n, kind="stable")
    x, y = np.asarray(n, np.float64)[order], np.asarray(t, np.float64)[order]
    bytes_ = None if working_set is None else np.asarray(working_set, np.float64)[order]
    cuts = find_breaks(x, y, 0, np.random.default_rng(seed)) if np.unique(x).size == x.size else []
    edges = [0, *cuts, x.size]
    fits = tuple(fit(list(x[low:high]), list(y[low:high]), signed=low > 0, seed=seed) for low, high in pairwise(edges))
    breaks = tuple(Break(float(x[cut - 1]), float(x[cut]), cause(bytes_, cut, caches or {})) for cut in cuts)
    return Growth(fits, breaks)


def find_breaks(x: Floats, y: Floats, start: int, rng: np.random.Generator) -> list[int]:
    """Indices at which a new regime begins, by halving: the clearest break first, then either side of it."""
    signed = start > 0
    if x.size < 2 * LEAST_SIDE + 1:
        return []
    single, model = one_law(x, y[None], signed)
    split = two_laws(x, y[None], signed)
    cut = LEAST_SIDE + int(np.argmin(split[:, 0]))
    least = float(split.min())
    gain = (float(single[0]) + 1e-14) / (least + 1e-14)
    if gain < GAIN:
        return []
    sigma = math.sqrt((float(single[0]) + 1e-14) / (x.size - 2))
    draws = model[0] * np.exp(sigma * rng.standard_normal((DRAWS, x.size)))
    by_chance = one_law(x, draws, signed)[0] / two_laws(x, draws, signed).min(axis=0)
    if gain <= np.quantile(by_chance, LEVEL):
        return []
    left = find_breaks(x[:cut], y[:cut], start, rng)
    right = find_breaks(x[cut:], y[cut:], start + cut, rng)
    return [*left, cut, *(cut + index for index in right)]


def one_law(x: Floats, t: Floats, signed: bool) -> tuple[Floats, Floats]:
    """Sum of squares and fitted times of the best law for every row of t."""
    f = family(x)
    a, b, rss = least_squares(f, t, signed=signed)
    best = np.argmin(rss, axis=0)
    row = np.arange(t.shape[0])
    model = a[best, row][:, None] + b[best, row][:, None] * f[best, 0]
    return rss[best, row], np.maximum(model, 0.05 * t)


def two_laws(x: Floats, t: Floats, signed: bool) -> Floats:
    """Sum of squares of the best law with other constants on either side, for every break and row of t."""
    f = family(x)
    sums = []
    for cut in range(LEAST_SIDE, x.size - LEAST_SIDE + 1):
        left = least_squares(f[..., :cut], t[:, :cut], signed=signed)[2]
        right = least_squares(f[..., cut:], t[:, cut:], signed=True)[2]
        sums.append((left + right).min(axis=0))
    return np.stack(sums)


def family(x: Floats) -> Floats:
    """Every law at the sizes, shape (laws, 1, points)."""
    return np.stack([values(law, x) for law in (*LAWS, *(power(float(p)) for p in EXPONENTS))])[:, None, :]


def cause(working_set: Floats | None, cut: int, caches: Mapping[str, float]) -> str:
    """The cache that the data outgrow about a break, the nearest on a logarithmic scale; empty if none is near."""
    if working_set is None or not (working_set[cut - 1 : cut + 1] > 0).all():
        return ""
    below, above = float(working_set[cut - 1]), float(working_set[cut])
    near = {name: size for name, size in caches.items() if below / NEAR <= size <= above * NEAR}
    middle = math.sqrt(below * above)
    return min(near, key=lambda name: abs(math.log(near[name] / middle)), default="")


def cache_sizes(machine: Mapping[str, object]) -> dict[str, float]:
    """Bytes of the caches that a result's machine knows, by name."""
    processor = machine.get("processor")
    known = processor if isinstance(processor, Mapping) else {}
    return {name: float(known[key]) for name, key in CACHES if isinstance(known.get(key), (int, float)) and known[key]}
