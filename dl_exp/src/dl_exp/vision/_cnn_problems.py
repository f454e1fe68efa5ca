"""Images to train on: coarse patterns, the same from weights that saturate every unit, handwritten digits."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from dl_exp.vision._cnn_model import Shape, checked, start_weights

SMALL = {"side": 12, "first": 2, "second": 3, "hidden": 5, "batch": 2, "updates": 2}
AWKWARD = (
    {"side": 12, "first": 1, "second": 1, "hidden": 1, "batch": 1, "updates": 1},
    {"side": 16, "first": 3, "second": 5, "hidden": 7, "batch": 3, "updates": 2},
    {"side": 28, "first": 2, "second": 2, "hidden": 3, "batch": 1, "updates": 1},
)
RATE = 0.2
Side = Annotated[int, "side of the images, a multiple of 4"]
First = Annotated[int, "channels of the first convolution"]
Second = Annotated[int, "channels of the second convolution"]
Hidden = Annotated[int, "units of the first hidden layer"]
Batch = Annotated[int, "images a step"]
Updates = Annotated[int, "steps of training"]


def patterns(
    side: Side = 28, first: First = 6, second: Second = 16, hidden: Hidden = 120, batch: Batch = 24,
    updates: Updates = 1, *, dtype, rng,
):  # fmt: skip
    """Ten coarse patterns with noise."""
    shape = checked(Shape(side, first, second, hidden))
    labels = rng.integers(0, shape.classes, (updates, batch)).astype(np.int32)
    coarse = rng.uniform(0, 1, (shape.classes, side // 4, side // 4))
    x = np.repeat(np.repeat(coarse, 4, axis=1), 4, axis=2)[labels] + 0.2 * rng.standard_normal(
        (updates, batch, side, side)
    )
    return start_weights(shape, rng).astype(dtype), x.astype(dtype), labels, rates(updates, dtype), shape


def badly_scaled(
    side: Side = 28, first: First = 6, second: Second = 16, hidden: Hidden = 120, batch: Batch = 24,
    updates: Updates = 1, *, dtype, rng,
):  # fmt: skip
    """The same from weights that are ten times too large: most units are saturated."""
    weights, *rest = patterns(side, first, second, hidden, batch, updates, dtype=dtype, rng=rng)
    return weights * np.dtype(dtype).type(10), *rest


def mnist(batch: Batch = 24, updates: Updates = 1, *, dtype, rng):
    """Handwritten digits, 28 by 28 pixels."""
    from dl_exp.data import read_mnist_5000

    examples, shape = read_mnist_5000(), Shape()
    chosen = rng.integers(0, len(examples.x), (updates, batch))
    x, labels = examples.x[chosen].reshape(updates, batch, 28, 28), examples.labels[chosen]
    return start_weights(shape, rng).astype(dtype), x.astype(dtype), labels, rates(updates, dtype), shape


def rates(updates, dtype):
    """The same rate at every step."""
    return np.full(updates, RATE, dtype)
