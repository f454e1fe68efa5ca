"""scikit-learn asked for exactly the same minimum, to the same tolerance."""

from __future__ import annotations

import math

import numpy as np

from exp_core import Skip
from maths_exp.algorithms._logistic_regression_laws import steepest


def sklearn_lbfgs(X, y, model):
    """scikit-learn with SciPy's L-BFGS-B."""
    model.fit(X, y)
    return model.coef_[0], int(model.n_iter_[0])


def sklearn_newton_cholesky(X, y, model):
    """scikit-learn with Newton and Cholesky."""
    model.fit(X, y)
    return model.coef_[0], int(model.n_iter_[0])


def model_of(solver):
    """The same problem as scikit-learn puts it; it looks at the largest entry of the gradient."""

    def prepare(X, y, lam, tolerance):
        from sklearn.linear_model import LogisticRegression

        n, d = X.shape
        options = {"C": 1 / (n * lam), "tol": tolerance / math.sqrt(d), "max_iter": 10_000, "fit_intercept": False}
        return X, y, LogisticRegression(solver=solver, **options)

    return prepare


def one_class(X, y, lam, tolerance):
    """scikit-learn refuses what is no question to it."""
    return None if (y != y[0]).any() else Skip("scikit-learn wants two classes", "choose more rows")


def too_fine(X, y, lam, tolerance):
    """Its L-BFGS also stops where a step lowers a loss below 1 by no more than 64 eps, a number that nobody can change.

    Newton's step lowers f by about $\\frac12 g^T H^{-1} g \\ge \\|g\\|^2/(2L)$, L the steepest curvature: by more than
    that from a gradient longer than $\\sqrt{128 L \\epsilon}$.
    """
    promised = math.sqrt(128 * steepest(X, lam) * np.finfo(float).eps)
    if tolerance < promised:
        return Skip(
            "scikit-learn's L-BFGS also stops where the loss no longer falls by 64 eps, and may do so before",
            f"choose --tolerance {promised:.0e} or more",
        )
    return one_class(X, y, lam, tolerance)
