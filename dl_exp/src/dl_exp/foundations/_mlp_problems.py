"""Minibatches to train on: clouds, the same from badly scaled weights, handwritten digits."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np

from dl_exp.foundations._mlp_model import Shape, start_weights
from dl_exp.foundations._mlp_training import TRAINING

SMALL = {"inputs": 6, "hidden": 5, "classes": 3, "batch": 4, "updates": 3}
AWKWARD = (
    {"inputs": 1, "hidden": 1, "classes": 1, "batch": 1, "updates": 1},
    {"inputs": 7, "hidden": 17, "classes": 11, "batch": 13, "updates": 2},
    {"inputs": 65, "hidden": 3, "classes": 2, "batch": 1, "updates": 3},
)
Inputs = Annotated[int, "numbers in an example"]
Hidden = Annotated[int, "hidden units"]
Classes = Annotated[int, "classes"]
Batch = Annotated[int, "examples a step"]
Updates = Annotated[int, "steps of training"]


def clusters(
    inputs: Inputs = 64, hidden: Hidden = 128, classes: Classes = 10, batch: Batch = 64, updates: Updates = 5, *,
    dtype, rng,
):  # fmt: skip
    """Normal clouds, one a class, around random centres."""
    shape = Shape(inputs, hidden, classes)
    labels = rng.integers(0, classes, (updates, batch)).astype(np.int32)
    centres = rng.standard_normal((classes, inputs))
    x = (centres[labels] + 0.5 * rng.standard_normal((updates, batch, inputs))) / math.sqrt(inputs)
    return start_weights(shape, rng).astype(dtype), x.astype(dtype), labels, shape


def badly_scaled(
    inputs: Inputs = 64, hidden: Hidden = 128, classes: Classes = 10, batch: Batch = 64, updates: Updates = 5, *,
    dtype, rng,
):  # fmt: skip
    """The same from weights that are thirty times too large: units are saturated, losses huge."""
    weights, *rest = clusters(inputs, hidden, classes, batch, updates, dtype=dtype, rng=rng)
    return weights * np.dtype(dtype).type(30), *rest


def digits(hidden: Hidden = 128, batch: Batch = 64, updates: Updates = 5, *, dtype, rng):
    """Handwritten digits, 8 by 8 pixels."""
    examples = TRAINING.data[0].read()
    shape = TRAINING.model(examples, hidden=hidden)
    chosen = rng.integers(0, len(examples.x), (updates, batch))
    return start_weights(shape, rng).astype(dtype), examples.x[chosen].astype(dtype), examples.labels[chosen], shape
