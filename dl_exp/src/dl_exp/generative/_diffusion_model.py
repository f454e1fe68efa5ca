"""The network that guesses the noise: its shape, the weights that it starts from, and how far a step goes."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from dl_exp.generative._diffusion_schedule import FEATURES
from dl_exp.parameters import Layout

RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8  # of Adam
FIRST_RATE = 2e-3  # of a run whose rate falls
AVERAGED = 0.002  # part of each new weight in the running mean that samples are drawn with


class Shape(NamedTuple):
    """Numbers in an example, and units in each of three hidden layers."""

    dims: int
    hidden: int

    @property
    def layout(self) -> Layout:
        """Where the weights lie in their vector."""
        return _layout(self)


@functools.cache
def _layout(shape: Shape) -> Layout:
    d, h = shape
    return Layout({
        "W1": (d + FEATURES, h), "b1": (h,),
        "W2": (h, h), "b2": (h,),
        "W3": (h, h), "b3": (h,),
        "W4": (h, d), "b4": (d,),
    })  # fmt: skip


def start_weights(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Normal with variance $2/n_{in}$, made for units of which half are silent; biases 0; float32, (P,).

    Source: K. He, X. Zhang, S. Ren, J. Sun, Delving deep into rectifiers, ICCV (2015), eq. (10).
    """
    parts = [
        rng.standard_normal(size) * math.sqrt(2 / size[0]) if len(size) == 2 else np.zeros(size)
        for size in shape.layout.shapes.values()
    ]
    return shape.layout.pack(parts).astype(np.float32)


def rate(step: int, steps: int) -> float:
    """The learning rate after ``step`` of ``steps`` updates: falling to nothing on a half cosine.

    Source: I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR (2017), eq. (5).
    """
    return FIRST_RATE * (1 + math.cos(math.pi * step / steps)) / 2


def corrections(step: int) -> tuple[float, float]:
    """What Adam's means, begun at zero, lack in update ``step`` (from 1): $1 - \\beta_1^k$ and $1 - \\beta_2^k$."""
    return 1 - BETA1**step, 1 - BETA2**step
