"""Where gradients are asked for: valleys, gases, a product with a zero in it, and a network that looks at tumours."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from maths_exp.calculus._autodiff_functions import helmholtz, rosenbrock, speelpenning
from maths_exp.calculus._autodiff_network import network

N = Annotated[int, "variables"]


def valley(n: N = 1000, *, dtype, rng):
    """Rosenbrock's valley in n dimensions, at a random point."""
    if n < 2:
        raise ValueError("Rosenbrock's function needs a neighbour for each variable: choose --n 2 or more")
    return rosenbrock, rng.uniform(-2, 2, n).astype(dtype)


def gas(n: N = 100, *, dtype, rng):
    """Griewank's Helmholtz energy of a mixture of n gases, half of the volume filled."""
    return mixture(n, 0.5, dtype, rng)


def dense_gas(n: N = 100, left: Annotated[float, "part of the volume that is left"] = 1e-3, *, dtype, rng):
    """The same with hardly any volume left: near the pole of the energy its derivatives are large."""
    if not 0 < left < 1:
        raise ValueError(f"{left:g} of the volume cannot be left: choose --left between 0 and 1")
    return mixture(n, 1 - left, dtype, rng)


def mixture(n, filled, dtype, rng):
    """Amounts x, attractions A and volumes b of n gases with $b^T x$ = filled."""
    b, A, x = rng.uniform(0.5, 1.5, n), rng.uniform(0, 1, (n, n)), rng.uniform(0.5, 1.5, n)
    x *= filled / (b @ x)
    return helmholtz, x.astype(dtype), ((A + A.T) / 2).astype(dtype), b.astype(dtype)


def zero_factor(n: N = 1000, *, dtype, rng):
    """Speelpenning's product with one factor zero: one derivative is not, and $y / x_i$ would be $0/0$."""
    x = np.exp(rng.uniform(-1, 1, n))
    x[n // 2] = 0
    return speelpenning, x.astype(dtype)


def tumours(
    hidden: Annotated[int, "hidden units"] = 10,
    every: Annotated[int, "every k-th of 569 samples"] = 1,
    *,
    dtype,
    rng,
):
    """The loss of a small network on the Wisconsin breast cancer data (569 samples of 30 features), by its weights."""
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    X = ((X - X.mean(axis=0)) / X.std(axis=0))[::every]
    d = X.shape[1]
    layers = rng.standard_normal(d * hidden) / np.sqrt(d), rng.standard_normal(2 * hidden + 1) / np.sqrt(hidden)
    return network, np.concatenate(layers).astype(dtype), X.astype(dtype), (2.0 * y[::every] - 1).astype(dtype)
