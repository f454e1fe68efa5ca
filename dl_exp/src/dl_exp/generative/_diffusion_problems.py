"""What is to be drawn like: two moons, the same far away, handwritten digits."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np

from dl_exp.generative._diffusion_distance import sliced_wasserstein, told_apart
from dl_exp.generative._diffusion_model import Shape, start_weights
from dl_exp.generative._diffusion_schedule import STEPS

THICKNESS = 0.05  # of the moons: standard deviation of what is added
FAR = 100.0


class Points(NamedTuple):
    """Examples to learn from, others that are held out, both float32, (n, d); the largest number in them.

    distance: of two clouds of as many points, the one that these data are judged with.
    """

    x: np.ndarray
    held_out: np.ndarray
    limit: float
    distance: Callable[[np.ndarray, np.ndarray], float]


def two_moons(n: int, rng: np.random.Generator) -> np.ndarray:
    """Points on two half circles that reach into each other, with mean 0 and variance 1 each way; (n, 2).

    On the upper one (cos a, sin a), on the lower (1 - cos a, 1/2 - sin a), a uniform in 0 to pi.  So the means are 1/2
    and 1/4, and the variances 3/4 and 9/16 - 1/pi, each with the thickness added.
    """
    angle, lower = math.pi * rng.random(n), rng.random(n) < 0.5
    x = np.where(lower, 1 - np.cos(angle), np.cos(angle))
    y = np.where(lower, 0.5 - np.sin(angle), np.sin(angle))
    points = np.stack([x, y], axis=1) + THICKNESS * rng.standard_normal((n, 2))
    return (points - [1 / 2, 1 / 4]) / np.sqrt([3 / 4 + THICKNESS**2, 9 / 16 - 1 / math.pi + THICKNESS**2])


def read_moons() -> Points:
    """Two moons, always the same: 20,000 points, and 10,000 held out."""
    x = two_moons(30_000, np.random.default_rng(0)).astype(np.float32)
    return Points(x[:20_000], x[20_000:], float(np.abs(x).max()), sliced_wasserstein)


def read_images() -> Points:
    """Handwritten digits of 8 by 8 pixels, grey from -1 to 1."""
    from dl_exp.data import read_digits

    examples = read_digits()
    return Points(2 * examples.x - 1, 2 * examples.held_out_x - 1, 1.0, told_apart)


def moons(
    hidden: Annotated[int, "units in a hidden layer"] = 128,
    batch: Annotated[int, "examples a step"] = 128,
    updates: Annotated[int, "steps of training"] = 5,
    *,
    dtype,
    rng,
):
    """Two half circles that reach into each other."""
    return _stacked(two_moons(updates * batch, rng), hidden, batch, updates, dtype, rng)


def far_away(
    hidden: Annotated[int, "units in a hidden layer"] = 128,
    batch: Annotated[int, "examples a step"] = 128,
    updates: Annotated[int, "steps of training"] = 5,
    *,
    dtype,
    rng,
):
    """The same moons a hundred of their sizes away from zero."""
    return _stacked(FAR + two_moons(updates * batch, rng), hidden, batch, updates, dtype, rng)


def digits(
    hidden: Annotated[int, "units in a hidden layer"] = 128,
    batch: Annotated[int, "examples a step"] = 128,
    updates: Annotated[int, "steps of training"] = 5,
    *,
    dtype,
    rng,
):
    """Handwritten digits, 8 by 8 pixels."""
    x = read_images().x
    return _stacked(x[rng.integers(0, len(x), updates * batch)], hidden, batch, updates, dtype, rng)


def _stacked(x, hidden, batch, updates, dtype, rng):
    """Weights, then a minibatch, its noise and its times for each step."""
    shape = Shape(x.shape[1], hidden)
    size = (updates, batch, shape.dims)
    noise, times = rng.standard_normal(size), rng.integers(1, STEPS + 1, (updates, batch))
    weights = start_weights(shape, rng)
    return weights.astype(dtype), x.reshape(size).astype(dtype), noise.astype(dtype), times.astype(np.int32), shape
