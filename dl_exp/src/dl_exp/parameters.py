"""Named weights in one flat vector: what a training step takes and returns, what a checkpoint keeps.

layout = Layout({"W1": (64, 128), "b1": (128,)})
W1, b1 = layout.unpack(weights)             views of a NumPy array, slices of an MLX one
weights = layout.pack([W1, b1])
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from exp_core.tensor import namespace


class Layout:
    """Which part of the vector is which array, in the order of the mapping."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.shapes = dict(shapes)
        ends = np.cumsum([0, *(math.prod(shape) for shape in self.shapes.values())]).tolist()
        self.parts = {name: slice(*ends[i : i + 2]) for i, name in enumerate(self.shapes)}
        self.size = ends[-1]

    def unpack(self, weights) -> list:
        """The arrays, in order; of the vector's dtype and library.  Raises ValueError for another length."""
        if weights.shape != (self.size,):
            raise ValueError(f"weights of shape {weights.shape} are not the {self.size} of this model")
        return [weights[self.parts[name]].reshape(shape) for name, shape in self.shapes.items()]

    def pack(self, arrays: Sequence):
        """The vector, shape (size,), of the arrays' dtype and library."""
        return namespace(*arrays).concatenate([array.reshape(-1) for array in arrays], axis=0)
