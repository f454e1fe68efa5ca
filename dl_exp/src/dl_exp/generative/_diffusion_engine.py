"""The CPU engine of diffusion's training step: gradients by hand, compiled, each thread its part of the batch.

A thread keeps what it works on (its examples, their activations, its gradient) in its own cache for the whole step; the
parts meet once, where their gradients are added up as Adam takes them.
"""

from __future__ import annotations

import numpy as np

from dl_exp.engine.adamw import add
from dl_exp.engine.product import K_BLOCK, product
from dl_exp.engine.tile import columns
from dl_exp.generative._diffusion_model import BETA1, BETA2, EPSILON, RATE, corrections
from dl_exp.generative._diffusion_schedule import clock, scales
from exp_core.compiled import REORDER, njit, prange
from exp_core.vector import sigmoid

SPACE = 32  # numbers between what two threads write: two cache lines


def threads(weights, x0, noise, times, shape):
    """Everything fused by hand: no graph, no allocation in a step, a vector sigmoid, a part of the batch a thread."""
    state = weights.copy(), np.zeros_like(weights), np.zeros_like(weights)
    return advance(*state, x0, noise, times, [RATE] * len(x0), 0, shape), state[0]


def advance(weights, m, v, x0, noise, times, rates, before, shape):
    """As many updates as the batches have entries, in place, after ``before`` others; returns the losses."""
    import numba

    updates, batch, _ = x0.shape
    parts = min(numba.get_num_threads(), batch)
    losses = np.empty(updates, np.float32)
    told = np.array([(rate, *corrections(k)) for k, rate in enumerate(rates, before + 1)], np.float32)
    panels = np.empty((parts, K_BLOCK, columns(4)), np.float32)
    _train(weights, m, v, x0, noise, times, told, shape.hidden, panels, *scales(), clock(), losses)
    return losses


@njit(parallel=True)
def _train(weights, m, v, x0, noise, times, told, h, panels, signal, spread, clock, losses):
    updates, batch, d = x0.shape
    parts = panels.shape[0]
    features, rows = clock.shape[1], (batch + parts - 1) // parts
    gradients = np.empty((parts, weights.size + SPACE), np.float32)
    sums = np.zeros((parts, SPACE), np.float32)
    x = np.empty((parts, rows, d + features), np.float32)
    work = np.empty((parts, 8, rows, h), np.float32)  # activations, slopes, two deltas
    aim, wrong = np.empty((parts, rows, d), np.float32), np.empty((parts, rows, d), np.float32)
    for step in range(updates):
        for part in prange(parts):
            first, last = part * batch // parts, (part + 1) * batch // parts
            n = last - first
            _spoil(x0[step, first:last], noise[step, first:last], times[step, first:last], signal, spread, clock,
                   x[part], aim[part])  # fmt: skip
            sums[part, 0] = _gradient(
                weights, x[part, :n], aim[part, :n], batch, gradients[part], work[part], wrong[part, :n], panels[part]
            )
        losses[step] = sums[:, 0].sum()
        rate, c1, c2 = told[step]
        for part in prange(parts):
            first, last = part * weights.size // parts, (part + 1) * weights.size // parts
            for other in range(1, parts):
                add(gradients[0, first:last], gradients[other, first:last])
            _adam(weights[first:last], m[first:last], v[first:last], gradients[0, first:last], rate, c1, c2)


@njit
def _spoil(x0, noise, times, signal, spread, clock, x, aim):
    """x_t and the clock's features side by side; what the network is to guess."""
    n, d = x0.shape
    for i in range(n):
        t = times[i]
        for j in range(d):
            x[i, j] = signal[t] * x0[i, j] + spread[t] * noise[i, j]
            aim[i, j] = signal[t] * noise[i, j] - spread[t] * x0[i, j]
        for j in range(clock.shape[1]):
            x[i, d + j] = clock[t, j]


@njit
def _adam(w, m, v, g, rate, c1, c2):
    """Kingma and Ba (2015), algorithm 1."""
    beta1, beta2 = np.float32(BETA1), np.float32(BETA2)
    rest1, rest2 = np.float32(1 - BETA1), np.float32(1 - BETA2)
    rate, epsilon = rate / c1, np.float32(EPSILON)
    for i in range(w.size):
        m[i] = beta1 * m[i] + rest1 * g[i]
        v[i] = beta2 * v[i] + rest2 * g[i] * g[i]
        w[i] -= rate * m[i] / (np.sqrt(v[i] / c2) + epsilon)


@njit(fastmath=REORDER)
def _gradient(weights, x, aim, batch, gradient, work, wrong, panel):
    """The part's share of the loss; its share of the gradient goes to ``gradient``.  Letters as in ``by_hand``."""
    n, d = aim.shape
    k, h = x.shape[1], work.shape[2]
    ends = np.array([0, k * h + h, k * h + h + h * (h + 1), k * h + h + 2 * h * (h + 1), weights.size])
    h1, h2, h3 = work[0, :n], work[1, :n], work[2, :n]
    slope1, slope2, slope3 = work[3, :n], work[4, :n], work[5, :n]
    delta, below = work[6, :n], work[7, :n]
    _affine(x, weights[: ends[1]], h1, panel)
    _silu(h1, slope1)
    _affine(h1, weights[ends[1] : ends[2]], h2, panel)
    _silu(h2, slope2)
    _affine(h2, weights[ends[2] : ends[3]], h3, panel)
    _silu(h3, slope3)
    _affine(h3, weights[ends[3] :], wrong, panel)
    loss = _wrong(wrong, aim, batch)

    _into(h3, wrong, gradient[ends[3] : ends[4]], panel)
    _down(wrong, weights[ends[3] : ends[4] - d].reshape(h, d), slope3, delta, panel)
    _into(h2, delta, gradient[ends[2] : ends[3]], panel)
    _down(delta, weights[ends[2] : ends[3] - h].reshape(h, h), slope2, below, panel)
    _into(h1, below, gradient[ends[1] : ends[2]], panel)
    _down(below, weights[ends[1] : ends[2] - h].reshape(h, h), slope1, delta, panel)
    _into(x, delta, gradient[: ends[1]], panel)
    return loss


@njit(fastmath=REORDER)
def _wrong(guess, aim, batch):
    """The guess becomes the derivative of the loss by it; returns this part's share of the loss."""
    n, d = aim.shape
    share, loss = np.float32(1) / np.float32(batch * d), np.float32(0)
    for i in range(n):
        for j in range(d):
            r = guess[i, j] - aim[i, j]
            loss += share * r * r
            guess[i, j] = np.float32(2) * share * r
    return loss


@njit
def _affine(x, layer, z, panel):
    """z = x W + b; the layer is W and then b."""
    k, h = x.shape[1], z.shape[1]
    for i in range(z.shape[0]):
        for j in range(h):
            z[i, j] = layer[k * h + j]
    product(x, layer[: k * h].reshape(k, h), z, True, panel)


@njit
def _silu(z, slope):
    """z becomes $z \\sigma(z)$; its slope beside it."""
    for i in range(z.shape[0]):
        row, slopes = z[i], slope[i]
        for j in range(row.size):
            s = sigmoid(row[j])
            slopes[j] = s * (np.float32(1) + row[j] * (np.float32(1) - s))
            row[j] *= s


@njit
def _into(inputs, delta, layer, panel):
    """The gradient of a layer: $a^T \\delta$ and then the sum of $\\delta$."""
    k, h = inputs.shape[1], delta.shape[1]
    product(inputs.T, delta, layer[: k * h].reshape(k, h), False, panel)
    bias = layer[k * h :]
    for j in range(h):
        bias[j] = 0
    for i in range(delta.shape[0]):
        for j in range(h):
            bias[j] += delta[i, j]


@njit
def _down(delta, W, slope, below, panel):
    """below = $(\\delta W^T)$ slope."""
    product(delta, W.T, below, False, panel)
    for i in range(below.shape[0]):
        for j in range(below.shape[1]):
            below[i, j] *= slope[i, j]
