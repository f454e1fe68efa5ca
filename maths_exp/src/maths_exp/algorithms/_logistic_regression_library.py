"""scikit-learn asked for exactly the same minimum, to the same tolerance."""

from __future__ import annotations

import math

from exp_core import Skip


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
