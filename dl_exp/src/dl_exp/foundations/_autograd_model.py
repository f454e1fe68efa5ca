"""The network of micrograd's demo: its shape, its score, and its loss for whatever has operators."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from dl_exp.parameters import Layout

DECAY = 1e-4  # of the squared weights in the loss


class Shape(NamedTuple):
    """Inputs, and the width of both hidden layers."""

    inputs: int
    width: int

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """What goes into each layer, and what comes out."""
        return (self.inputs, self.width), (self.width, self.width), (self.width, 1)

    @property
    def layout(self) -> Layout:
        """Where the weights lie in their vector."""
        return _layout(self)


@functools.cache
def _layout(shape: Shape) -> Layout:
    parts = ((f"b{i}", (n_out,), f"W{i}", (n_in, n_out)) for i, (n_in, n_out) in enumerate(shape.layers, 1))
    return Layout({name: size for b, b_size, W, W_size in parts for name, size in ((b, b_size), (W, W_size))})


def loss_of(parts, x, y, relu, mean, total):
    """The mean hinge loss and the decay; parts are b1, W1, b2, W2, b3, W3, y has shape (n, 1)."""
    b1, W1, b2, W2, b3, W3 = parts
    scores = relu(relu(x @ W1 + b1) @ W2 + b2) @ W3 + b3  # (n, 1)
    decay = total(b1 * b1)
    for part in (W1, b2, W2, b3, W3):
        decay = decay + total(part * part)
    return mean(relu(1 - scores * y)) + DECAY * decay


def start_weights(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Uniform from -1 to 1, biases 0, as in micrograd; float64, (P,)."""
    sizes = shape.layout.shapes.values()
    return shape.layout.pack([rng.uniform(-1, 1, size) if len(size) > 1 else np.zeros(size) for size in sizes])


def moons_of(n: int, noise: float, rng: np.random.Generator):
    """Two half circles that reach into each other: x (n, 2) and y = ±1, float64; the first half of the points is +1."""
    upper = n - n // 2
    t = np.concatenate([np.linspace(0, np.pi, upper), np.linspace(0, np.pi, n - upper)])
    y = np.where(np.arange(n) < upper, 1.0, -1.0)
    x = np.stack([np.where(y > 0, np.cos(t), 1 - np.cos(t)), np.where(y > 0, np.sin(t), 0.5 - np.sin(t))], axis=1)
    return x + noise * rng.standard_normal((n, 2)), y
