"""How an implementation grows with the size: the laws that its times do not contradict.

The laws are held against each other by their likelihood.  With relative noise of one (unknown) strength at all N sizes,
$S_k = N \\log(R_k / R_{min})$ is twice the log likelihood ratio of law k against the best of all, R being the sums of
squared log residuals.  How large $S_k$ becomes when law k is the truth is not a textbook's $\\chi^2$ (laws are not
nested, a is held at 0, N is small), so it is simulated: times are drawn from the fitted law k, all laws are fitted to
each draw, and k stays in the set if its $S_k$ is not above the 99% quantile of what it then shows.  All that stay are
named.

When the answer may be wrong.  If the noise is independent and equal in strength, the true law is left out in about 1%
of all cases, and named alone or among others in the rest.  It can be left out more often where a law holds only for
larger sizes than those measured, where caches or block sizes bend the curve (see regimes.py), where the machine's speed
drifts while the sizes are measured in order, and where the cost is a sum of two growing terms; then usually only the
free exponent is left, and it describes these sizes, not the limit.  Every law with b = 0 is the constant: where "1" is
in the set, no growth has been seen, and ``growth`` bounds how much may be hidden.

Source: D. R. Cox, Tests of separate families of hypotheses, Proc. 4th Berkeley Symposium 1 (1961); P. Hall, S. R.
Wilson, Two guidelines for bootstrap hypothesis testing, Biometrics 47 (1991).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exp_core.scaling.laws import EXPONENTS, FREE, LAWS, Floats, free_exponent, least_squares, power, values

LEAST_POINTS = 5  # the free exponent has three unknowns, the noise is a fourth, and one must be left to contradict
DRAWS = 500
LEVEL = 0.99  # of a law: one true law in a hundred is left out
P_LEVEL = 0.95  # of the interval of the exponent
HOPELESS = 60.0  # an S beyond which no simulation is needed
ROUNDING = 1e-7  # relative noise that is always supposed: times of exactly one law have no other
BY_NAME = {law.name: law for law in LAWS}


@dataclass(frozen=True, slots=True)
class Term:
    """One law, fitted: $t(n) = a + b f(n)$ in seconds; ``p`` is set for the free exponent alone.

    likelihood: relative to that of the likeliest law, between 0 and 1.
    """

    law: str
    a: float
    b: float
    p: float | None
    likelihood: float

    def __call__(self, n: Sequence[float] | Floats) -> Floats:
        """Seconds at these sizes."""
        law = BY_NAME[self.law] if self.p is None else power(self.p)
        return self.a + self.b * law.of(np.asarray(n, np.float64))


@dataclass(frozen=True, slots=True)
class Fit:
    """What the times at several sizes say about growth.

    laws: every law not contradicted, the likeliest first; ``("n^p",)`` if none of the textbook's is left.
    best: the one to draw: the likeliest, or the constant where no growth was seen.
    p, p_ci95: exponent of the free law $a + b n^p$, and its 95% interval.
    scatter: relative standard deviation of the times about ``best``.
    growth: the most that the time may have grown, relative, from the smallest to the largest size (97.5% limit).
    sizes: the smallest and the largest size that the fit rests on.
    terms: every textbook law and the free one, fitted.
    """

    laws: tuple[str, ...]
    best: Term
    p: float
    p_ci95: tuple[float, float]
    scatter: float
    growth: float
    sizes: tuple[float, float]
    points: int
    terms: tuple[Term, ...]

    @property
    def constant(self) -> bool:
        """Whether no growth was seen."""
        return "1" in self.laws

    @property
    def verdict(self) -> str:
        """In words: ``n log n``; ``n or n log n: undecided``; ``n^1.53``; ``1: no growth seen, at most 7%``."""
        if self.constant:
            return f"1: no growth seen, at most {self.growth:.0%}"
        if self.laws == (FREE,):
            return f"n^{self.p:.2f}"
        if len(self.laws) == 1:
            return self.laws[0]
        return f"{', '.join(self.laws[:-1])} or {self.laws[-1]}: undecided"


def fit(n: Sequence[float], t: Sequence[float], *, signed: bool = False, seed: int = 0) -> Fit | None:
    """The fit of the times ``t``, seconds, at the sizes ``n``; None with fewer than five different sizes.

    Raises ValueError for sizes or times that are not positive.
    """
    order = np.argsort(n, kind="stable")
    x, y = np.asarray(n, np.float64)[order], np.asarray(t, np.float64)[order]
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (x > 0).all() and (y > 0).all()):
        raise ValueError("sizes and times must be positive and finite")
    if np.unique(x).size < LEAST_POINTS:
        return None
    contest = Contest(x, signed, np.random.default_rng(seed))
    a, b, rss = contest.fits(y[None])
    p, free = free_exponent(x, y[None], rss[len(LAWS) :], signed=signed)
    least = min(float(rss.min()), float(free[0])) + contest.rounding
    s = x.size * np.log((rss[: len(LAWS), 0] + contest.rounding) / least)
    kept = [k for k in range(len(LAWS)) if s[k] < HOPELESS and s[k] <= contest.limit(contest.f[k, 0], y)]
    names = tuple(LAWS[k].name for k in sorted(kept, key=lambda k: s[k]))
    terms = [
        Term(law.name, float(a[k, 0]), float(b[k, 0]) / scale(law.of(x)), None, math.exp(-s[k] / 2))
        for k, law in enumerate(LAWS)
    ]
    exponent = float(p[0])
    f = values(power(exponent), x)
    a_free, b_free, _ = least_squares(f, y, signed=signed)
    s_free = x.size * math.log((float(free[0]) + contest.rounding) / least)
    terms.append(
        Term(FREE, float(a_free), float(b_free) / scale(power(exponent).of(x)), exponent, math.exp(-s_free / 2))
    )
    best = next(term for term in terms if term.law == ("1" if "1" in names else (names or (FREE,))[0]))
    unknowns = {"1": 1, FREE: 3}.get(best.law, 2)
    scatter = math.sqrt(float((np.log(y / np.maximum(best(x), 0.05 * y)) ** 2).sum()) / (x.size - unknowns))
    return Fit(
        laws=names or (FREE,),
        best=best,
        p=exponent,
        p_ci95=exponent_interval(x, y, exponent, s_free + contest.limit(f, y, P_LEVEL), least, contest),
        scatter=scatter,
        growth=hidden_growth(contest.f[1 : len(LAWS), 0], a[1 : len(LAWS), 0], b[1 : len(LAWS), 0], scatter),
        sizes=(float(x[0]), float(x[-1])),
        points=x.size,
        terms=tuple(terms),
    )


class Contest:
    """All laws at one set of sizes, and what their contest shows by chance."""

    def __init__(self, n: Floats, signed: bool, rng: np.random.Generator) -> None:
        self.n, self.signed = n, signed
        laws = (*LAWS, *(power(float(p)) for p in EXPONENTS))
        self.f = np.stack([values(law, n) for law in laws])[:, None, :]  # (laws, 1, points)
        self.rounding = n.size * ROUNDING**2
        self.noise = rng.standard_normal((DRAWS, n.size))  # the same for all laws: their thresholds are comparable

    def fits(self, t: Floats) -> tuple[Floats, Floats, Floats]:
        """a, b and the sum of squares of every law (and exponent of the grid) for every row of t."""
        return least_squares(self.f, t, signed=self.signed)

    def limit(self, f: Floats, t: Floats, level: float = LEVEL) -> float:
        """The quantile of S for a law f, if it were the true one with the a, b and noise that fit the times."""
        a, b, rss = least_squares(f, t, signed=self.signed)
        sigma = np.sqrt((rss + self.rounding) / (self.n.size - 2))
        draws = np.maximum(a + b * f, 0.05 * t) * np.exp(sigma * self.noise)
        own = least_squares(f, draws, signed=self.signed)[2]
        every = self.fits(draws)[2]
        free = free_exponent(self.n, draws, every[len(LAWS) :], signed=self.signed)[1]
        least = np.minimum(np.minimum(every.min(axis=0), free), own)
        return float(np.quantile(self.n.size * np.log((own + self.rounding) / (least + self.rounding)), level))


def exponent_interval(
    x: Floats, y: Floats, p: float, limit: float, least: float, contest: Contest
) -> tuple[float, float]:
    """The exponents about p whose S is at most ``limit``, each end by bisection; held to the range that is searched."""

    def contradicted(q: float) -> bool:
        rss = float(least_squares(values(power(q), x), y, signed=contest.signed)[2])
        return x.size * math.log((rss + contest.rounding) / least) > limit

    ends: list[float] = []
    for bound in (float(EXPONENTS[0]), float(EXPONENTS[-1])):
        inside, outside = p, bound
        if contradicted(bound):
            for _ in range(20):
                middle = 0.5 * (inside + outside)
                inside, outside = (inside, middle) if contradicted(middle) else (middle, outside)
            ends.append(inside)
        else:
            ends.append(bound)
    return ends[0], ends[1]


def hidden_growth(f: Floats, a: Floats, b: Floats, scatter: float) -> float:
    """The largest relative growth over the sizes by any growing law: its estimate and two standard errors of it."""
    error = scatter / np.sqrt(((f - f.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1))
    start = a + b * f[:, 0]
    grown = np.where(start > 0, b * (1 - f[:, 0]) / np.where(start > 0, start, 1.0), np.inf)
    return float((grown + 2 * error).max())


def scale(f: Floats) -> float:
    """What ``values`` divided a law by."""
    return float(f.max()) or 1.0
