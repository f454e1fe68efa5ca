"""What all implementations of the GPT share: the weights that it starts from, and how its learning rate goes."""

from __future__ import annotations

import math

import numpy as np

from dl_exp.engine.adamw import AdamW
from dl_exp.engine.shape import Shape

ADAMW = AdamW()  # as in nanoGPT's configuration for Shakespeare
RATE, LOWEST, WARM_UP = 1e-3, 1e-4, 100
STEPS = 2000  # of a whole run
SPREAD = 0.02


def start_weights(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Normal with standard deviation 0.02, less for what is added to the residual stream 2L times; float32, (P,).

    Source: A. Radford et al., Language Models are Unsupervised Multitask Learners (2019), section 2.3.
    """
    parts = []
    for name, size in shape.layout.shapes.items():
        spread = SPREAD / math.sqrt(2 * shape.layers) if name in ("out", "down") else SPREAD
        parts.append(np.ones(size) if name.startswith("norm") else spread * rng.standard_normal(size))
    return shape.layout.pack(parts).astype(np.float32)


def rate(step: int, steps: int) -> float:
    """The learning rate after ``step`` of ``steps`` updates: up in a line, down along a cosine to the last one.

    Source: I. Loshchilov, F. Hutter, SGDR, ICLR (2017), eq. (5), with a warm-up, as nanoGPT has it.
    """
    up = min(WARM_UP, steps // 20)  # of a short run a twentieth, as in nanoGPT's 2000
    if step < up:
        return RATE * (step + 1) / (up + 1)
    way = (step - up) / (steps - up)
    return LOWEST + (RATE - LOWEST) * 0.5 * (1 + math.cos(math.pi * way))


def ladder_rate(step: int) -> float:
    """The same without the warm-up: in a ladder's few steps the weights are to move as far as they ever do."""
    return rate(WARM_UP + step, STEPS)


def ladder_rates(updates: int) -> list[float]:
    """Those of a ladder's whole run."""
    return [ladder_rate(step) for step in range(updates)]
