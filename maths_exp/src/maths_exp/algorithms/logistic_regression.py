"""Logistic regression: the same minimum by cheap steps, by clever steps, and by steps after single rows.

Problem   Rows $x_i$ of X, shape (n, d), each with a label $y_i = \\pm 1$.  Find the w that minimises
          $f(w) = \\frac1n \\sum_i \\log(1 + e^{-y_i x_i^T w}) + \\frac\\lambda2 \\|w\\|^2$, until the gradient is
          within the tolerance.  The last column of X is one: its weight is the intercept, penalised like the others.
Idea      f is convex, and $\\lambda > 0$ makes its bowl no flatter than $\\lambda$ anywhere, even if the classes can be
          separated.  Gradient descent needs passes in proportion to the steepest curvature over the least; Newton
          solves with all curvatures, $X^T S X / n + \\lambda I$, and needs a handful; L-BFGS learns curvatures from the
          steps that it takes; SAGA steps after each row.
Look for  On breast-cancer the steepest curvature may be 1600 $\\lambda$, and descent needs a thousand times the
          passes of Newton.  Passes are not seconds: one with a Hessian costs about d/4 times one without.  scikit-learn
          reads X twice a pass, and checks its input first; the fused pass makes loss, gradient and Hessian of rows
          that are still in cache, with a vector exponential.  On few rows threads cost more than they bring.
          SAGA is below the library though compiled: each margin needs the w of the step before, so that there is one
          chain of updates, number after number, where the others take many rows at once.  It stands here for plain
          stochastic descent, whose steps must shrink as 1/k to end at all: then $f(w_k) - f(w^*)$ falls as 1/k, and
          a gradient of $10^{-6}$ would take some $10^{12}$ steps.
Source    J. Nocedal, S. J. Wright, Numerical Optimization, 2nd ed. (2006), doi:10.1007/978-0-387-40065-5.
          T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning, 2nd ed. (2009),
          doi:10.1007/978-0-387-84858-7, section 4.4.
          For SAGA: Defazio et al., NIPS (2014), arXiv:1407.0202.
          For shrinking steps: L. Bottou, F. E. Curtis, J. Nocedal, SIAM Review 60 (2018), doi:10.1137/16M1080173,
          theorem 4.7.
"""

from __future__ import annotations

import math

import numpy as np

from exp_core import Experiment, Implementation, Problem
from maths_exp.algorithms._logistic_regression_compiled import lbfgs_threads, newton_threads
from maths_exp.algorithms._logistic_regression_costs import LIMIT, cost, descent_foretold, with_hessian
from maths_exp.algorithms._logistic_regression_laws import (
    accuracy,
    gradient,
    gradient_norm,
    steepest,
    within_tolerance,
)
from maths_exp.algorithms._logistic_regression_library import (
    model_of,
    one_class,
    sklearn_lbfgs,
    sklearn_newton_cholesky,
    too_fine,
)
from maths_exp.algorithms._logistic_regression_picture import picture
from maths_exp.algorithms._logistic_regression_problems import breast_cancer, overlapping, separable
from maths_exp.algorithms._logistic_regression_saga import saga

ENOUGH = 1e-4  # of the decrease that the slope promises (Nocedal and Wright, section 3.1)


def descent_loops(X, y, lam, tolerance, step):
    """Downhill along the gradient, row after row, number after number."""
    n, d = X.shape
    w, passes = [0.0] * d, 0
    while True:
        g = [lam * w_j for w_j in w]
        for i in range(n):
            m = X[i, 0] * w[0]
            for j in range(1, d):
                m += X[i, j] * w[j]
            t = y[i] * m
            e = math.exp(-abs(t))  # exp(-t) itself would overflow far on the wrong side
            r = -y[i] * (e if t > 0 else 1.0) / (1.0 + e) / n
            for j in range(d):
                g[j] += r * X[i, j]
        passes += 1
        if sum(g_j * g_j for g_j in g) <= tolerance * tolerance or passes == LIMIT:
            return np.array(w), passes
        w = [w_j - step * g_j for w_j, g_j in zip(w, g, strict=True)]


def descent(X, y, lam, tolerance, step):
    """All rows at once: two products with X a pass."""
    w, passes = np.zeros(X.shape[1]), 1
    g = gradient(X, y, lam, w)
    while g @ g > tolerance * tolerance and passes < LIMIT:
        w = w - step * g
        g = gradient(X, y, lam, w)
        passes += 1
    return w, passes


def newton(X, y, lam, tolerance):
    """Newton's step $-(\\nabla^2 f)^{-1} \\nabla f$, halved until the loss falls: reweighted least squares."""
    n, d = X.shape
    w, passes = np.zeros(d), 1
    f, g, s = loss_gradient_weights(X, y, lam, w)
    while g @ g > tolerance * tolerance and passes < LIMIT:
        H = (X.T * s) @ X / n + lam * np.eye(d)
        p = -np.linalg.solve(H, g)
        start, before, slope, step = w, f, g @ p, 1.0
        w = start + p
        f, g, s = loss_gradient_weights(X, y, lam, w)
        passes += 1
        while f > before + ENOUGH * step * slope + 8 * np.finfo(float).eps * before and passes < LIMIT:
            step /= 2
            w = start + step * p
            f, g, s = loss_gradient_weights(X, y, lam, w)
            passes += 1
    return w, passes


def loss_gradient_weights(X, y, lam, w):
    """f(w), its gradient, and each row's second derivative by its margin."""
    t = y * (X @ w)
    e = np.exp(-np.abs(t))
    q = 1 / (1 + e)
    f = np.mean(np.maximum(-t, 0) + np.log1p(e)) + lam / 2 * (w @ w)
    return f, X.T @ (-y * np.where(t > 0, e, 1) * q) / len(y) + lam * w, e * q * q


def with_step(X, y, lam, tolerance):
    """The step 1/L, L the steepest curvature."""
    return X, y, lam, tolerance, 1 / steepest(X, lam)


def transposed(X, y, lam, tolerance):
    """Columns contiguous."""
    return np.ascontiguousarray(X.T), y, lam, tolerance


def row(function, rung, prepare=None, counted=None, **more):
    """An implementation whose passes are those of `counted`, which takes the inputs as they are, or its own."""
    known = {key: more.pop(key) for key in ("flops", "reads", "memory") if key in more}
    model = cost(counted or function, None if counted else prepare, **known)
    return Implementation(function, rung, cost=model, bound=within_tolerance, prepare=prepare, **more)


SIZES = {"rows": 60, "columns": 4, "strength": 0.05}
AWKWARD = ({"rows": 1, "columns": 1}, SIZES | {"rows": 257, "columns": 7}, SIZES | {"rows": 3, "columns": 11})
SKLEARN = {"requires": ("sklearn",), "reads": 2}

EXPERIMENT = Experiment(
    problems=(
        Problem(overlapping, small=SIZES, awkward=AWKWARD),
        Problem(separable, kind="hard", small=SIZES, awkward=AWKWARD),
        Problem(breast_cancer, kind="real", small={"patients": 30, "strength": 0.1}, requires=("sklearn",)),
    ),
    laws={"length of the gradient": gradient_norm},
    implementations=(
        row(descent_loops, "textbook", with_step, descent_foretold),
        row(descent, "vectorised", with_step, descent_foretold, reads=2),
        row(newton, "vectorised", flops=with_hessian, reads=4, memory=lambda n, d: n * d + 8 * n + 3 * d * d),
        row(saga, "compiled", flops=lambda n, d: 10 * n * d),
        row(lbfgs_threads, "compiled", transposed),
        row(newton_threads, "compiled", transposed, newton, flops=with_hessian),
        row(sklearn_lbfgs, "library", model_of("lbfgs"), skip=too_fine, **SKLEARN),
        row(
            sklearn_newton_cholesky,
            "library",
            model_of("newton-cholesky"),
            newton,
            flops=with_hessian,
            skip=one_class,
            **SKLEARN,
        ),
    ),
    picture=picture,
    figures={"passes": lambda result, *inputs: float(result[1]), "accuracy": accuracy},
    dtypes=("float64",),
)
