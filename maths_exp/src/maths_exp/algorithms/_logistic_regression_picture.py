"""How fast each method comes down, and where the rows are left: right, wrong, and how clearly."""

from __future__ import annotations

import importlib.util

import numpy as np

SHOWN = 2000  # rows that the methods are run on for the picture
POINTS = 10  # tolerances at which each is asked how far it is


def picture(figure, X, y, lam, tolerance):
    """Left, the loss above its minimum after so many passes; right, the margins of the rows at the minimum."""
    from maths_exp.algorithms import logistic_regression as experiment

    X, y = X[:SHOWN], y[:SHOWN]
    best = experiment.newton(X, y, lam, tolerance / 100)[0]
    left, right = figure.subplots(1, 2)
    compiled = importlib.util.find_spec("numba") is not None
    for row in experiment.EXPERIMENT.implementations:
        if row.rung == "vectorised" or (row.name in ("saga", "lbfgs_threads") and compiled):
            passes, above = descent_curve(row, X, y, lam, tolerance, best)
            left.loglog(passes, above, ".-", label=row.name)
    left.set(title="loss above its minimum", xlabel="passes over the rows", ylabel="$f(w) - f(w^*)$")
    left.grid(alpha=0.3)
    left.legend(fontsize="small")
    t = y * (X @ best)
    right.hist(t, bins=40, color="tab:blue", alpha=0.6)
    right.axvline(0, color="black", linewidth=1)
    right.set(title=f"{(t > 0).mean():.1%} on the right side", xlabel="$y\\, x^T w$", ylabel="rows")


def descent_curve(row, X, y, lam, tolerance, best):
    """Passes and loss above that of the best w, of runs with ever smaller tolerances."""
    passes, above = [1], [loss(X, y, lam, np.zeros(X.shape[1])) - loss(X, y, lam, best)]
    for allowed in np.geomspace(0.3, max(tolerance, 1e-8), POINTS):
        inputs = X, y, lam, allowed
        w, k = row.function(*(row.prepare(*inputs) if row.prepare else inputs))
        passes.append(k)
        above.append(loss(X, y, lam, w) - loss(X, y, lam, best))
    least = np.finfo(float).eps  # what rounding leaves of a difference of losses
    return passes, np.maximum(above, least)


def loss(X, y, lam, w):
    """f(w)."""
    return np.logaddexp(0, -y * (X @ w)).mean() + lam / 2 * (w @ w)
