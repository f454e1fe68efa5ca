"""The CPU engine of the multilayer perceptron: gradients by hand, compiled, each thread its part of the batch.

What a thread needs (its examples, the weights, its gradient) is a few ten thousand numbers: they stay in its own cache
for the whole step, and nothing is shared until the gradients are added up.
"""

from __future__ import annotations

import numpy as np

from dl_exp.foundations._mlp_model import RATE
from dl_exp.products import add_product
from exp_core.compiled import REORDER, njit, prange
from exp_core.vector import exp, log, tanh

LANES = 8  # the classes' axis is filled up to whole vectors


def threads(weights, x, labels, shape):
    """Everything fused by hand: no graph, nothing allocated, vector tanh and exp, each thread a part of the batch."""
    weights = weights.copy()
    losses = np.empty(len(x), np.float32)
    _train(weights, x, labels, shape.hidden, shape.classes, np.float32(RATE), losses, _parts(x.shape[1]))
    return losses, weights


def _parts(batch):
    """As many as there are threads, but none without an example."""
    import numba

    return min(numba.get_num_threads(), batch)


@njit(parallel=True)
def _train(weights, x, labels, h, c, rate, losses, parts):
    updates, batch = x.shape[:2]
    wide = (c + LANES - 1) // LANES * LANES
    gradients = np.zeros((parts, weights.size + 32), np.float32)  # no two threads write to one cache line
    sums = np.zeros((parts, 32), np.float32)
    rows = (batch + parts - 1) // parts
    a, below = np.zeros((parts, rows, h), np.float32), np.zeros((parts, rows, h), np.float32)
    delta = np.zeros((parts, rows, wide), np.float32)
    padded, across = np.zeros((parts, h, wide), np.float32), np.zeros((parts, c, h), np.float32)
    gW2 = np.zeros((parts, h, wide), np.float32)
    for step in range(updates):
        for part in prange(parts):
            first, last = part * batch // parts, (part + 1) * batch // parts
            n = last - first
            sums[part, 0] = _gradient(
                weights, x[step, first:last], labels[step, first:last], h, c, batch, gradients[part],
                a[part, :n], below[part, :n], delta[part, :n], padded[part], across[part], gW2[part],
            )  # fmt: skip
        losses[step] = sums[:, 0].sum()
        _descend(weights, gradients, rate)


@njit(fastmath=REORDER)
def _descend(weights, gradients, rate):
    for i in range(weights.size):
        g = gradients[0, i]
        for part in range(1, gradients.shape[0]):
            g += gradients[part, i]
        weights[i] -= rate * g


@njit(fastmath=REORDER)
def _gradient(weights, x, labels, h, c, batch, gradient, a, below, delta, padded, across, gW2):
    """The part's share of the loss; its share of the gradient goes to ``gradient``.  Letters as in ``by_hand``."""
    n, d = x.shape
    W1, b1 = weights[: d * h].reshape(d, h), weights[d * h : d * h + h]
    start = d * h + h
    W2, b2 = weights[start : start + h * c].reshape(h, c), weights[start + h * c : start + h * c + c]
    for j in range(h):
        for k in range(c):
            padded[j, k] = W2[j, k]
            across[k, j] = W2[j, k]
    for i in range(n):
        a[i] = b1
        for k in range(c):
            delta[i, k] = b2[k]
    add_product(x, W1, a)
    _tanh(a)
    add_product(a, padded, delta)
    loss = _cross_entropy(delta, labels, c, batch)

    gradient[: weights.size] = np.float32(0)
    gW2[:] = np.float32(0)
    below[:] = np.float32(0)
    add_product(a.T, delta, gW2)
    add_product(delta[:, :c], across, below)
    gW1, gb1 = gradient[: d * h].reshape(d, h), gradient[d * h : d * h + h]
    for i in range(n):
        for j in range(h):
            below[i, j] *= np.float32(1) - a[i, j] * a[i, j]
            gb1[j] += below[i, j]
    add_product(x.T, below, gW1)
    for j in range(h):
        for k in range(c):
            gradient[start + j * c + k] = gW2[j, k]
    for i in range(n):
        for k in range(c):
            gradient[start + h * c + k] += delta[i, k]
    return loss


@njit
def _tanh(a):
    for i in range(a.shape[0]):
        row = a[i]
        for j in range(row.size):
            row[j] = tanh(row[j])


@njit
def _cross_entropy(z, labels, c, batch):
    """The scores become $(p - y)/B$ in place; returns the sum of the losses over B."""
    share, loss = np.float32(1) / np.float32(batch), np.float32(0)
    for i in range(z.shape[0]):
        row = z[i]
        largest = row[0]
        for k in range(1, c):
            largest = max(largest, row[k])
        chosen, total = row[labels[i]] - largest, np.float32(0)
        for k in range(row.size):
            row[k] = exp(row[k] - largest)
        for k in range(c):
            total += row[k]
        loss += share * (log(total) - chosen)
        for k in range(row.size):
            row[k] *= share / total
        row[labels[i]] -= share
    return loss
