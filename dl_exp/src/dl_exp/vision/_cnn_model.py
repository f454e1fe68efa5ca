"""LeNet: its shape, and the weights that it starts from.

Images (side, side, 1); 5 by 5 convolution, padding 2; tanh; means of 2 by 2; 5 by 5 convolution; tanh; means of 2 by 2;
two hidden layers; scores.  A convolution's weights are (window, channels out), the window's places in the order
(row, column, channel), so that it is the product with the matrix of unfolded windows.
Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition,
Proc. IEEE 86 (1998), section II.B; its second convolution sees all channels here.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from dl_exp.parameters import Layout

KERNEL, PADDING = 5, 2


class Shape(NamedTuple):
    """Side of the images, channels of both convolutions, units of both hidden layers, classes."""

    side: int = 28
    first: int = 6
    second: int = 16
    hidden: int = 120
    last: int = 84
    classes: int = 10

    @property
    def pooled(self) -> int:
        """Side after the first means."""
        return self.side // 2

    @property
    def places(self) -> int:
        """Side of the second convolution's result."""
        return self.pooled - KERNEL + 1

    @property
    def features(self) -> int:
        """What the dense layers see."""
        return (self.places // 2) ** 2 * self.second

    @property
    def layout(self) -> Layout:
        """Where the weights lie in their vector."""
        return _layout(self)


def checked(shape: Shape) -> Shape:
    """The shape.  Raises ValueError for a side that the means cannot halve twice."""
    if shape.side % 4 or shape.side < 12:
        raise ValueError(f"the side of an image must be a multiple of 4 and at least 12, not {shape.side}")
    return shape


@functools.cache
def _layout(shape: Shape) -> Layout:
    window = KERNEL * KERNEL
    layers = ((window, shape.first), (window * shape.first, shape.second), (shape.features, shape.hidden),
              (shape.hidden, shape.last), (shape.last, shape.classes))  # fmt: skip
    names = {name: size for i, (n, m) in enumerate(layers, 1) for name, size in ((f"W{i}", (n, m)), (f"b{i}", (m,)))}
    return Layout(names)


def start_weights(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Uniform in $\\pm\\sqrt{3/n_{in}}$, variance $1/n_{in}$, biases 0; float32, (P,).

    Source: Y. LeCun, L. Bottou, G. B. Orr, K.-R. Müller, Efficient BackProp (1998), eq. (16).
    """
    sizes = shape.layout.shapes.values()
    parts = [rng.uniform(-1, 1, size) * math.sqrt(3 / size[0]) if len(size) > 1 else np.zeros(size) for size in sizes]
    return shape.layout.pack(parts).astype(np.float32)
