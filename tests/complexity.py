"""Synthetic times of a known law, and google/benchmark's way of finding it: for the suite and the validation."""

from __future__ import annotations

from collections import Counter

import numpy as np

from exp_core.scaling.fit import fit
from exp_core.scaling.laws import LAWS

NOISE = 0.05


def synthetic(law, rng):
    """Sizes and noisy times of $a + b f(n)$: 7 to 12 doublings; the overhead is 0, 1 or 10 times the smallest work."""
    n = 64 * 2.0 ** np.arange(rng.integers(7, 13))
    f = law.of(n)
    a = 1.0 if law.name == "1" else f[0] * rng.choice([0, 1, 10])
    return n, (a + f) * np.exp(NOISE * rng.standard_normal(n.size))


def google(n, t):
    """Least squares through the origin, each law alone; the smallest RMS wins.  Source: google/benchmark's guide,
    "Calculating Asymptotic Complexity (Big O)": it knows 1, log n, n, n log n, n² and n³."""
    rms = {"1": float(np.sqrt(np.mean((t - t.mean()) ** 2)))}
    for law in LAWS[1:]:
        f = law.of(n)
        if law.name != "n² log n":
            rms[law.name] = float(np.sqrt(np.mean((t - (t @ f) / (f @ f) * f) ** 2)))
    return min(rms, key=rms.__getitem__)


def contest(trials, seed):
    """For each law: how often we were right, undecided and wrong, and how often google/benchmark's method was right."""
    rng = np.random.default_rng(seed)
    scores = {}
    for law in LAWS:
        score = Counter()
        for trial in range(trials):
            n, t = synthetic(law, rng)
            ours = fit(n, t, seed=trial)
            said = ("1",) if ours.constant and law.name == "1" else ours.laws
            score["wrong" if law.name not in said else "right" if len(said) == 1 else "undecided"] += 1
            score["google"] += google(n, t) == law.name
        scores[law.name] = score
    return scores
