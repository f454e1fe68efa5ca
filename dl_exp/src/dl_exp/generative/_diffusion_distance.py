"""How far samples are from data, and how far those of a fitted Gaussian are: the measure of what was learnt.

On digits (512 units, 12000 steps, three seeds, three draws of noise each) ``told_apart`` says of DDPM 3.0 to 3.6 times
nearer than the Gaussian, of DDIM 3.9 to 6.8; a run prints 3.2 to 3.4 and 5.3 to 5.6.  Of examples learnt by heart and
drawn with replacement it says 4.8, for two that are the same are neighbours: a bar that DDPM does not pass, though for
other examples it is 12 times and more.  Hence ``_diffusion_kernel`` beside it.
Other distances see less there (one seed): the sliced Wasserstein distance 1.1 times, of 1.3 that other digits are; the
energy distance of G. Szekely, M. Rizzo, Energy statistics: a class of statistics based on distances, J. Statist. Plann.
Inference 143 (2013), 0.9 times, uncertain by half: a Gaussian with the data's own two moments is hard to tell from 360
examples by either.
"""

from __future__ import annotations

import math

import numpy as np

DIRECTIONS = 256


def sliced_wasserstein(x: np.ndarray, y: np.ndarray) -> float:
    """$W_2$ of two clouds of n points, seen along one direction at a time: the root of the mean square over directions.

    On a line the cheapest way to bring one cloud to the other is in order: the smallest to the smallest.  x and y:
    shape (n, d); the directions are always the same.  Raises ValueError for clouds of different shapes.
    Source: N. Bonneel, J. Rabin, G. Peyré, H. Pfister, Sliced and Radon Wasserstein barycenters of measures,
    J. Math. Imaging Vision 51 (2015).
    """
    if x.shape != y.shape:
        raise ValueError(f"clouds of {x.shape} and {y.shape} cannot be brought to each other point by point")
    towards = np.random.default_rng(0).standard_normal((x.shape[1], DIRECTIONS))
    towards /= np.linalg.norm(towards, axis=0)
    apart = np.sort(x @ towards, axis=0) - np.sort(y @ towards, axis=0)
    return math.sqrt(np.mean(apart * apart))


def fitted_gaussian(x: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """n draws from the normal distribution with the mean and the covariance of x: what two moments know of the data."""
    return rng.multivariate_normal(x.mean(axis=0), np.cov(x.T), n)


def told_apart(x: np.ndarray, y: np.ndarray) -> float:
    """How often more than by chance a point's nearest neighbour tells which of two clouds it is from: 0 to 1.

    For each cloud the part of its points whose neighbour is of the same cloud, twice what that is away from 1/2; the
    mean of both, lest clouds that lie within others (pale images among images: only their own neighbours are their
    like) look half as bad.  Of many points without the two signs it is $\\frac12 \\int (p - q)^2 / (p + q)$, which
    lies between the square of the total variation and itself, and is 0 for equal densities alone.
    x and y: shape (n, d).  Raises ValueError for clouds of different shapes, which chance would not treat alike.
    Source: D. Lopez-Paz, M. Oquab, Revisiting classifier two-sample tests, ICLR (2017); T. Cover, P. Hart, Nearest
    neighbor pattern classification, IEEE Trans. Inf. Theory 13 (1967), for the limit.
    """
    if x.shape != y.shape:
        raise ValueError(f"clouds of {x.shape} and {y.shape} are not told apart by chance alone")
    n, points = len(x), np.concatenate([x, y]).astype(np.float64)
    squares = np.sum(points * points, axis=1)
    apart = squares[:, None] + squares - 2 * points @ points.T
    np.fill_diagonal(apart, np.inf)
    of_first = np.argmin(apart, axis=1) < n
    return float(abs(2 * of_first[:n].mean() - 1) + abs(2 * of_first[n:].mean() - 1)) / 2
