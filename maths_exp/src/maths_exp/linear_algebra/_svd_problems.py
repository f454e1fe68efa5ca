"""Matrices whose singular values are known by construction, matrices that tell methods apart, and a photograph."""

from __future__ import annotations

from typing import Annotated

import numpy as np

CHINA = (427, 640)  # rows and columns of scikit-learn's photograph china.jpg

Rows = Annotated[int, "rows m"]
Columns = Annotated[int, "columns n"]
Rank = Annotated[int, "singular values wanted, k"]
Excess = Annotated[float, "what the error may be above the least possible, as a part of it"]


def orthonormal(m, n, rng):
    """n random orthonormal columns of length m."""
    return np.linalg.qr(rng.standard_normal((m, n)))[0]


def refuse(rank, m, n, excess):
    """Raise ValueError if there are not so many singular values, or the error is to be less than the least."""
    if rank > min(m, n):
        raise ValueError(f"a matrix of {m} x {n} has rank {min(m, n)} at most: choose --rank so")
    if excess < 0:
        raise ValueError(f"no rank-k matrix is nearer than the nearest one: choose --excess 0 or more, not {excess:g}")


def decaying(
    rows: Rows = 4000,
    cols: Columns = 1000,
    rank: Rank = 20,
    power: Annotated[float, "the j-th singular value is j to minus this power"] = 1.0,
    excess: Excess = 1e-3,
    *,
    dtype,
    rng,
):
    """Singular values 1, 1/2, 1/3, ...: they fall slowly, and rank k leaves much behind."""
    refuse(rank, rows, cols, excess)
    n = min(rows, cols)
    s = np.arange(1.0, n + 1) ** -power
    return (orthonormal(rows, n, rng) * s @ orthonormal(cols, n, rng).T).astype(dtype), rank, excess


def square(n: Annotated[int, "rows and columns"] = 200, *, dtype, rng):
    """Normal random numbers, and all of their singular values."""
    return rng.standard_normal((n, n)).astype(dtype), n, 0.0


def graded(
    n: Annotated[int, "rows and columns"] = 100,
    grade: Annotated[float, "length of the shortest column over the longest"] = 1e-18,
    *,
    dtype,
    rng,
):
    """A = BD, B random, columns scaled by D, 1 to 1e-18 in no order: every singular value is well determined."""
    if not 1e-18 <= grade <= 1:
        raise ValueError(f"--grade {grade:g} is not from 1e-18 to 1: in float32 squares of shorter columns vanish")
    return (rng.standard_normal((n, n)) * rng.permutation(np.geomspace(1, grade, n))).astype(dtype), n, 0.0


def repeated(n: Annotated[int, "rows and columns"] = 100, *, dtype, rng):
    """A projection: singular values 1 and 0, half each.  Its singular vectors are anybody's choice."""
    Q = orthonormal(n, (n + 1) // 2, rng)
    return (Q @ Q.T).astype(dtype), n, 0.0


def photograph(
    rank: Rank = 40, every: Annotated[int, "every n-th pixel of 427 x 640"] = 1, excess: Excess = 1e-3, *, dtype, rng
):
    """The Summer Palace in grey: how few of its 427 directions make a picture?"""
    from sklearn.datasets import load_sample_image

    grey = load_sample_image("china.jpg").mean(axis=2)[::every, ::every] / 255
    refuse(rank, *grey.shape, excess)
    return np.ascontiguousarray(grey, dtype), rank, excess
