"""The sizes of a GPT, and where each of its weights lies in one flat vector."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from dl_exp.parameters import Layout


class Shape(NamedTuple):
    """vocabulary V, context T, width C, heads H, layers L; H divides C."""

    vocabulary: int
    context: int
    width: int
    heads: int
    layers: int

    @property
    def layout(self) -> Layout:
        """Where the weights lie: matrices first, since those alone decay; each name has all layers behind each other.

        There are no biases, and the embedding of tokens is the last layer's matrix as well.
        """
        return _layout(self)

    @property
    def matrices(self) -> int:
        """How many of the weights are in matrices."""
        norms = (math.prod(shape) for name, shape in self.layout.shapes.items() if name.startswith("norm"))
        return self.layout.size - sum(norms)


@functools.cache
def _layout(shape: Shape) -> Layout:
    v, t, c, _, n = shape[:5]
    return Layout(
        {
            "tokens": (v, c),
            "positions": (t, c),
            "qkv": (n, c, 3 * c),  # queries, keys, values side by side
            "out": (n, c, c),
            "up": (n, c, 4 * c),
            "down": (n, 4 * c, c),
            "norm1": (n, c),
            "norm2": (n, c),
            "norm": (c,),
        }
    )


class Layer(NamedTuple):
    """The weights of one layer, or their gradients."""

    qkv: np.ndarray  # (C, 3C)
    out: np.ndarray  # (C, C)
    up: np.ndarray  # (C, 4C)
    down: np.ndarray  # (4C, C)
    norm1: np.ndarray  # (C,)
    norm2: np.ndarray  # (C,)


class Weights(NamedTuple):
    """All weights, or their gradients, as the model wants them."""

    tokens: np.ndarray  # (V, C)
    positions: np.ndarray  # (T, C)
    layers: tuple[Layer, ...]
    norm: np.ndarray  # (C,)


def unpacked(flat, shape: Shape) -> Weights:
    """The flat vector (P,) as Weights: views of a NumPy array, slices of an MLX one."""
    tokens, positions, *stacked, norm = shape.layout.unpack(flat)
    layers = (Layer(*(each[i] for each in stacked)) for i in range(shape.layers))
    return Weights(tokens, positions, tuple(layers), norm)
