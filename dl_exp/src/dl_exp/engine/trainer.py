"""Training of a GPT on the CPU: each thread has its part of the batch, its own memory and its own gradient.

Nothing is shared but the weights, which nobody changes meanwhile; then the gradients are added in the order of the
parts, and each thread updates its part of the weights.  The same number of parts gives the same bits.
"""

from __future__ import annotations

import math

import numpy as np

from dl_exp.engine.adamw import AdamW, adamw, add, squared
from dl_exp.engine.gpt import loss_and_gradient, loss_only
from dl_exp.engine.shape import Shape, unpacked
from dl_exp.engine.team import together
from dl_exp.engine.workspace import workspace
from exp_core.aligned import aligned

CLIPPED = 1e-6  # added to the gradient's length before dividing by it, as PyTorch does


class Trainer:
    """Weights, both means of AdamW, and the memory of ``parts`` threads for batches of so many sequences.

    weights, m, v: (P,), laid out as ``shape.layout`` says; to begin somewhere, write into them.  Raises ValueError for
    a batch of no sequences, and for heads that do not divide the width.
    """

    def __init__(self, shape: Shape, batch: int, parts: int, constants: AdamW, dtype: str = "float32") -> None:
        if batch < 1 or parts < 1:
            raise ValueError(f"{batch} sequences in {parts} parts cannot be trained on: both must be at least 1")
        if shape.width % shape.heads:
            raise ValueError(f"{shape.heads} heads do not divide a width of {shape.width}")
        parts, size, kind = min(parts, batch), (shape.layout.size,), np.dtype(dtype)
        self.shape, self.constants = shape, constants
        self.weights, self.m, self.v = (aligned(size, kind, np.zeros) for _ in range(3))
        self.gradients = [aligned(size, kind, np.zeros) for _ in range(parts)]
        self._cuts = [batch * part // parts for part in range(parts + 1)]
        self._ranges = [shape.layout.size * part // parts for part in range(parts + 1)]
        self._views = unpacked(self.weights, shape)
        self._gradients = [unpacked(gradient, shape) for gradient in self.gradients]
        self._memory = [workspace(shape, b - a, kind) for a, b in zip(self._cuts, self._cuts[1:], strict=False)]
        self._parts = parts

    def step(self, tokens: np.ndarray, targets: np.ndarray, number: int, rate: float) -> float:
        """Update number 1, 2, ... with this learning rate on tokens, targets: (batch, T); the mean loss before it."""
        loss = self.gradient(tokens, targets)
        squares = sum(together(self._sum, self._parts))
        self._update(math.sqrt(squares), number, rate)
        return loss

    def gradient(self, tokens: np.ndarray, targets: np.ndarray) -> float:
        """The mean loss; its gradient is the sum of ``gradients``."""

        def part(i: int, _: np.ndarray) -> float:
            a, b = self._cuts[i], self._cuts[i + 1]
            w, g, k = self._views, self._gradients[i], self._memory[i]
            return loss_and_gradient(tokens[a:b], targets[a:b], w, g, k, self.shape.heads, tokens.size)

        return sum(together(part, self._parts)) / tokens.size

    def loss(self, tokens: np.ndarray, targets: np.ndarray) -> float:
        """The mean loss."""

        def part(i: int, _: np.ndarray) -> float:
            a, b = self._cuts[i], self._cuts[i + 1]
            return loss_only(tokens[a:b], targets[a:b], self._views, self._memory[i], self.shape.heads)

        return sum(together(part, self._parts)) / tokens.size

    def _sum(self, i: int, _: np.ndarray) -> float:
        a, b = self._ranges[i], self._ranges[i + 1]
        total = self.gradients[0][a:b]
        for gradient in self.gradients[1:]:
            add(total, gradient[a:b])
        return float(squared(total))

    def _update(self, length: float, number: int, rate: float) -> None:
        c = self.constants
        scale = min(1.0, c.clip / (length + CLIPPED))
        first, second = 1 - c.beta1**number, math.sqrt(1 - c.beta2**number)
        decaying = self.shape.matrices

        def part(i: int, _: np.ndarray) -> None:
            for a, b, decay in ((0, decaying, c.decay), (decaying, self.weights.size, 0.0)):
                a, b = max(a, self._ranges[i]), min(b, self._ranges[i + 1])
                if a < b:
                    adamw(
                        self.weights[a:b], self.gradients[0][a:b], self.m[a:b], self.v[a:b],
                        c.beta1, c.beta2, c.epsilon * second, 1 - rate * decay, rate * second / first, scale,
                    )  # fmt: skip

        together(part, self._parts)
