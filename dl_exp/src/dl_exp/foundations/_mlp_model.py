"""The network: its shape, and the weights that it starts from."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from dl_exp.parameters import Layout

RATE = 0.5  # of descent


class Shape(NamedTuple):
    """Units of each layer."""

    inputs: int
    hidden: int
    classes: int

    @property
    def layout(self) -> Layout:
        """Where the weights lie in their vector."""
        return _layout(self)


@functools.cache
def _layout(shape: Shape) -> Layout:
    d, h, c = shape
    return Layout({"W1": (d, h), "b1": (h,), "W2": (h, c), "b2": (c,)})


def start_weights(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Uniform in $\\pm\\sqrt{6/(n_{in} + n_{out})}$, biases 0: signals keep their variance both ways; float32, (P,).

    Source: X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural networks,
    AISTATS (2010), eq. (16).
    """
    d, h, c = shape
    limits = math.sqrt(6 / (d + h)), math.sqrt(6 / (h + c))
    W1, W2 = rng.uniform(-limits[0], limits[0], (d, h)), rng.uniform(-limits[1], limits[1], (h, c))
    return shape.layout.pack([W1, np.zeros(h), W2, np.zeros(c)]).astype(np.float32)
