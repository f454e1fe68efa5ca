"""Points to search among, and points to search for."""

from __future__ import annotations

from typing import Annotated

import numpy as np

N, M = Annotated[int, "points to search among"], Annotated[int, "points to search for"]
D, K = Annotated[int, "coordinates"], Annotated[int, "neighbours of each"]


def asked(X, Q, k, dtype):
    """The three inputs.  Raises ValueError if there are fewer points than neighbours."""
    if k > len(X):
        raise ValueError(f"{len(X)} points have no {k} nearest: choose --k {len(X)} or fewer")
    return np.ascontiguousarray(X, dtype), np.ascontiguousarray(Q, dtype), k


def cloud(n: N = 20_000, m: M = 2_000, d: D = 32, k: K = 10, *, dtype, rng):
    """A normal cloud in many dimensions, where all points are about equally far: no tree can leave much out."""
    return asked(rng.standard_normal((n, d)), rng.standard_normal((m, d)), k, dtype)


def surface(n: N = 100_000, m: M = 10_000, k: K = 10, *, dtype, rng):
    """Points near a sphere in space, as a scanner gives them: three dimensions, where trees shine."""
    X = rng.standard_normal((n + m, 3))
    X *= (1 + 0.01 * rng.standard_normal((n + m, 1))) / np.linalg.norm(X, axis=1, keepdims=True)
    return asked(X[:n], X[n:], k, dtype)


def ties(n: N = 5_000, m: M = 500, d: D = 4, k: K = 10, *, dtype, rng):
    """Whole numbers from 0 to 2: most points are there many times, and most distances occur often."""
    return asked(rng.integers(0, 3, (n, d)), rng.integers(0, 3, (m, d)), k, dtype)


def far_off(n: N = 20_000, m: M = 2_000, d: D = 8, k: K = 10, *, dtype, rng):
    """A cloud 1000 of its widths from the origin: $|x|^2 - 2 x \\cdot q + |q|^2$ cancels there."""
    return asked(1000 + rng.standard_normal((n, d)), 1000 + rng.standard_normal((m, d)), k, dtype)


def digits(k: K = 5, every: Annotated[int, "every n-th of 1797 digits"] = 1, *, dtype, rng):
    """Handwritten digits, 8 x 8 pixels: search each second one among the others (the picture classifies them)."""
    from sklearn.datasets import load_digits

    X = load_digits().data[::every]
    return asked(X[::2], X[1::2], k, dtype)


def digit_labels(X, Q):
    """Which digits the points and queries are, if they are digits; None if not."""
    from sklearn.datasets import load_digits

    data = load_digits()
    every = round(len(data.data) / (len(X) + len(Q)))
    if X.shape[1] != 64 or not np.array_equal(data.data[::every][::2], X):
        return None
    labels = data.target[::every]
    return labels[::2], labels[1::2]
