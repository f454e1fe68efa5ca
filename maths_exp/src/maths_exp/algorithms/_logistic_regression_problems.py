"""Rows and labels: noisy, separable, and measured on tumours.

Every problem gives X, shape (n, d), whose last column is one; y, shape (n,), of 1 and -1; lambda; and the tolerance.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

Rows = Annotated[int, "rows"]
Columns = Annotated[int, "columns, the one of ones included"]
Strength = Annotated[float, "lambda, of the penalty"]
Tolerance = Annotated[float, "length of the gradient to stop at"]


def checked(X, y, strength, tolerance):
    """The inputs, if they have a solution that can be found."""
    if not strength > 0:
        raise ValueError(f"strength = {strength:g}: separable classes have no minimum without a penalty; take 0.001")
    if not tolerance > 0:
        raise ValueError(f"tolerance = {tolerance:g}: rounding lets no gradient vanish; take 1e-6")
    return X, y, float(strength), float(tolerance)


def overlapping(
    rows: Rows = 20_000, columns: Columns = 20, strength: Strength = 0.001, tolerance: Tolerance = 1e-6, *, dtype, rng
):
    """Normal rows, each labelled by a coin that falls as the logistic function of x says."""
    X, t = normal_rows(rows, columns, rng)
    return checked(X, np.where(rng.random(rows) < 1 / (1 + np.exp(-t)), 1.0, -1.0), strength, tolerance)


def separable(
    rows: Rows = 2000, columns: Columns = 10, strength: Strength = 0.001, tolerance: Tolerance = 1e-6, *, dtype, rng
):
    """The coin replaced by a line: only the penalty keeps w from growing for ever, and the bowl is flat."""
    X, t = normal_rows(rows, columns, rng)
    return checked(X, np.where(t > 0, 1.0, -1.0), strength, tolerance)


def normal_rows(rows, columns, rng):
    """X with its column of ones, and its product with a random direction of length 2."""
    X = rng.standard_normal((rows, columns))
    X[:, -1] = 1
    v = rng.standard_normal(columns)
    return X, X @ (2 * v / np.linalg.norm(v))


def breast_cancer(
    patients: Annotated[int, "of 569"] = 569,
    strength: Strength = 0.002,
    tolerance: Tolerance = 1e-6,
    *,
    dtype,
    rng,
):
    """Wisconsin's tumours: 30 measures of cell nuclei, each to mean 0 and variance 1; is it benign?"""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    if patients > len(data.data):
        raise ValueError(f"patients = {patients}: there are {len(data.data)} in the data; take so many at most")
    X = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
    X = np.column_stack([X, np.ones(len(X))])
    chosen = np.arange(patients) * len(X) // patients  # spread evenly
    return checked(X[chosen], np.where(data.target == 1, 1.0, -1.0)[chosen], strength, tolerance)
