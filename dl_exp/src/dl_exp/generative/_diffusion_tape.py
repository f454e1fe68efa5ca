"""Diffusion on our own tape: the loss is written down, and the way back is found."""

from __future__ import annotations

import numpy as np

from dl_exp.generative._diffusion_model import BETA1, BETA2, EPSILON, RATE, corrections
from dl_exp.generative._diffusion_schedule import clock, noised, velocity
from dl_exp.tape import Tensor, gradient, mean


def on_our_tape(weights, x0, noise, times, shape):
    """The loss alone is written down; our tape finds the way back."""
    weights, losses = weights.copy(), []
    m, v = np.zeros_like(weights), np.zeros_like(weights)
    for k, batch in enumerate(zip(x0, noise, times, strict=True), 1):
        parts = [Tensor(part) for part in shape.layout.unpack(weights)]
        loss = loss_of(parts, *batch)
        g = shape.layout.pack(gradient(loss, parts))
        losses.append(loss.value)
        c1, c2 = corrections(k)
        m[:] = BETA1 * m + (1 - BETA1) * g
        v[:] = BETA2 * v + (1 - BETA2) * g * g
        weights -= RATE * (m / c1) / (np.sqrt(v / c2) + EPSILON)
    return np.array(losses, weights.dtype), weights


def loss_of(parts, x0, noise, times):
    """The mean square of what is wrong with the guess; x0 and noise (batch, d), times (batch,)."""
    W1, b1, W2, b2, W3, b3, W4, b4 = parts
    x = np.concatenate([noised(x0, noise, times), clock().astype(x0.dtype)[times]], axis=1)
    h3 = silu(silu(silu(Tensor(x) @ W1 + b1) @ W2 + b2) @ W3 + b3)
    wrong = h3 @ W4 + b4 - velocity(x0, noise, times)
    return mean(wrong * wrong)


def silu(z):
    """$z \\sigma(z)$, whose derivative is $\\sigma(z)(1 + z(1 - \\sigma(z)))$: of tanh, it would cancel below 0."""
    x = z.value
    s = 1 / (1 + np.exp(-x))
    return Tensor(x * s, ((z, lambda g: g * (s * (1 + x * (1 - s)))),))
