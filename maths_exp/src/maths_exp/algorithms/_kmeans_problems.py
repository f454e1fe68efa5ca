"""Points to cluster and where to begin: k-means++ seeding, clouds, awkward clouds, and a photograph's colours.

Every problem gives X, shape (n, d), the initial centres C0, shape (k, d), and the number of iterations.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

CHINA = (427, 640)  # rows and columns of scikit-learn's photograph china.jpg


def plus_plus(X, k, rng):
    """Seeds among the points, each drawn with a probability proportional to its squared distance from those before.

    The expected potential is at most $8(\\ln k + 2)$ times the best: Arthur and Vassilvitskii (2007), theorem 3.1.
    """
    points = X.astype(np.float64)
    seeds = [rng.integers(len(points))]
    D2 = ((points - points[seeds[0]]) ** 2).sum(axis=1)  # squared distance to the nearest seed: (n,)
    while len(seeds) < k:
        seeds.append(rng.choice(len(points), p=D2 / D2.sum()) if D2.any() else rng.integers(len(points)))
        D2 = np.minimum(D2, ((points - points[seeds[-1]]) ** 2).sum(axis=1))
    return X[seeds]


def start(points, k, iterations, dtype, rng):
    """The inputs: points in the wanted dtype, their seeds, the number of iterations."""
    X = np.ascontiguousarray(points, dtype)
    return X, plus_plus(X, k, rng), iterations


Points = Annotated[int, "number of points"]
Dimensions = Annotated[int, "dimensions of a point"]
Clusters = Annotated[int, "number of clusters"]
Iterations = Annotated[int, "Lloyd iterations"]


def clouds(n: Points = 20_000, d: Dimensions = 16, k: Clusters = 16, iterations: Iterations = 10, *, dtype, rng):
    """As many round normal clouds as clusters: neighbouring ones touch, so the centres are still moving at the end."""
    middles = rng.standard_normal((k, d))
    points = middles[rng.integers(k, size=n)] + rng.standard_normal((n, d))
    return start(points, k, iterations, dtype, rng)


def unequal(n: Points = 20_000, d: Dimensions = 4, k: Clusters = 8, iterations: Iterations = 10, *, dtype, rng):
    """Overlapping clouds, each wider than the one before and half as populous: large ones split, small ones merge."""
    share = 0.5 ** np.arange(k)
    cloud = rng.choice(k, size=n, p=share / share.sum())
    points = 3 * rng.standard_normal((k, d))[cloud] + rng.standard_normal((n, d)) * (1 + cloud[:, None]) / 4
    return start(points, k, iterations, dtype, rng)


def far_off(
    n: Points = 20_000,
    d: Dimensions = 16,
    k: Clusters = 16,
    iterations: Iterations = 10,
    distance: Annotated[float, "distance from the origin along every axis"] = 1000.0,
    *,
    dtype,
    rng,
):
    """Clouds far from the origin: $\\|x\\|^2 - 2x \\cdot c + \\|c\\|^2$ cancels, and float32 has no digits left."""
    X, _, _ = clouds(n, d, k, iterations, dtype="float64", rng=rng)
    return start(X + distance, k, iterations, dtype, rng)


def ties(
    n: Points = 5000,
    d: Dimensions = 2,
    k: Clusters = 8,
    iterations: Iterations = 10,
    side: Annotated[int, "whole numbers along an axis"] = 16,
    *,
    dtype,
    rng,
):
    """Points on a grid of whole numbers, many of them equal, and many as far from one seed as from another."""
    return start(rng.integers(0, side, (n, d)), k, iterations, dtype, rng)


def photograph(
    colours: Annotated[int, "colours of the palette"] = 16,
    stride: Annotated[int, "keep every so many-th row and column"] = 4,
    iterations: Iterations = 10,
    *,
    dtype,
    rng,
):
    """The colours of a photograph, red, green and blue from 0 to 1: which few stand for all of them best?"""
    from sklearn.datasets import load_sample_image

    pixels = load_sample_image("china.jpg")[::stride, ::stride].reshape(-1, 3)
    # The camera rounded to one of 256 levels; random digits below put back what it cut off, and no two points tie.
    return start((pixels + rng.random(pixels.shape)) / 256, colours, iterations, dtype, rng)


def image_shape(X):
    """Rows and columns of the photograph that X holds the colours of; None if X is something else."""
    if X.shape[1] == 3 and X.min() >= 0 and X.max() <= 1:
        for stride in range(1, max(CHINA) + 1):
            rows, columns = (-(-side // stride) for side in CHINA)
            if rows * columns == len(X):
                return rows, columns
    return None
