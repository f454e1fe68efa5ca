"""The sizes of a GPT, and where each of its weights lies in one flat vector."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


class Shape(NamedTuple):
    """vocabulary V, context T, width C, heads H, layers L; H divides C."""

    vocabulary: int
    context: int
    width: int
    heads: int
    layers: int


class Layer(NamedTuple):
    """The weights of one layer, or their gradients; there are no biases."""

    qkv: np.ndarray  # (C, 3C): queries, keys, values side by side
    out: np.ndarray  # (C, C)
    up: np.ndarray  # (C, 4C)
    down: np.ndarray  # (4C, C)
    norm1: np.ndarray  # (C,)
    norm2: np.ndarray  # (C,)


class Weights(NamedTuple):
    """Views of the flat vector."""

    tokens: np.ndarray  # (V, C): the embedding, and the last layer's matrix as well
    positions: np.ndarray  # (T, C)
    norm: np.ndarray  # (C,)
    layers: tuple[Layer, ...]


def shapes(s: Shape) -> dict[str, tuple[int, ...]]:
    """The weights' names and shapes in the order in which they are packed: matrices first, those alone decay."""
    v, t, c, _, n = s
    return {
        "tokens": (v, c),
        "positions": (t, c),
        "qkv": (n, c, 3 * c),
        "out": (n, c, c),
        "up": (n, c, 4 * c),
        "down": (n, 4 * c, c),
        "norm1": (n, c),
        "norm2": (n, c),
        "norm": (c,),
    }


def count(s: Shape) -> int:
    """P, the length of the flat vector."""
    return sum(map(math.prod, shapes(s).values()))


def matrices(s: Shape) -> int:
    """How many of the weights are in matrices: they come first."""
    return sum(math.prod(shape) for name, shape in shapes(s).items() if not name.startswith("norm"))


def unpacked(flat: np.ndarray, s: Shape) -> Weights:
    """The flat vector (P,) as Weights: views, no copies."""
    views, start = {}, 0
    for name, shape in shapes(s).items():
        views[name] = flat[start : start + math.prod(shape)].reshape(shape)
        start += math.prod(shape)
    layers = (Layer(*(views[name][i] for name in Layer._fields)) for i in range(s.layers))
    return Weights(views["tokens"], views["positions"], views["norm"], tuple(layers))
