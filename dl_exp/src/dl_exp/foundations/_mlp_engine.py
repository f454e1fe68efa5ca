"""The CPU engine of the multilayer perceptron: gradients by hand, compiled, each thread its part of the batch.

What a thread needs (its examples, the weights, its gradient) is a few ten thousand numbers: they stay in its own cache
for the whole step, and nothing is shared until the gradients are added up.
"""

from __future__ import annotations

import numpy as np

from dl_exp.engine.cross_entropy import cross_entropy
from dl_exp.engine.product import K_BLOCK, product
from dl_exp.engine.tile import columns
from dl_exp.foundations._mlp_model import RATE
from exp_core.compiled import REORDER, njit, prange
from exp_core.vector import tanh


def threads(weights, x, labels, shape):
    """Everything fused by hand: no graph, nothing allocated, vector tanh and exp, each thread a part of the batch."""
    weights = weights.copy()
    losses = np.empty(len(x), np.float32)
    parts = _parts(x.shape[1])
    panels = np.empty((parts, K_BLOCK, columns(weights.itemsize)), np.float32)
    _train(weights, x, labels, shape.hidden, shape.classes, np.float32(RATE), losses, parts, panels)
    return losses, weights


def _parts(batch):
    """As many as there are threads, but none without an example."""
    import numba

    return min(numba.get_num_threads(), batch)


@njit(parallel=True)
def _train(weights, x, labels, h, c, rate, losses, parts, panels):
    updates, batch = x.shape[:2]
    gradients = np.zeros((parts, weights.size + 32), np.float32)  # no two threads write to one cache line
    sums = np.zeros((parts, 16), np.float64)
    rows = (batch + parts - 1) // parts
    a, below = np.empty((parts, rows, h), np.float32), np.empty((parts, rows, h), np.float32)
    delta = np.empty((parts, rows, c), np.float32)
    for step in range(updates):
        for part in prange(parts):
            first, last = part * batch // parts, (part + 1) * batch // parts
            n = last - first
            sums[part, 0] = _gradient(
                weights, x[step, first:last], labels[step, first:last], h, c, batch, gradients[part],
                a[part, :n], below[part, :n], delta[part, :n], panels[part],
            )  # fmt: skip
        losses[step] = np.float32(sums[:, 0].sum() / batch)
        _descend(weights, gradients, rate)


@njit(fastmath=REORDER)
def _descend(weights, gradients, rate):
    for i in range(weights.size):
        g = gradients[0, i]
        for part in range(1, gradients.shape[0]):
            g += gradients[part, i]
        weights[i] -= rate * g


@njit(fastmath=REORDER)
def _gradient(weights, x, labels, h, c, batch, gradient, a, below, delta, panel):
    """The sum of the part's losses; its share of the gradient goes to ``gradient``.  Letters as in ``by_hand``."""
    n, d = x.shape
    W1, b1, W2, b2 = _layers(weights, d, h, c)
    gW1, gb1, gW2, gb2 = _layers(gradient, d, h, c)
    for i in range(n):
        a[i] = b1
        delta[i] = b2
    product(x, W1, a, True, panel)
    _tanh(a)
    product(a, W2, delta, True, panel)
    loss = cross_entropy(delta, labels, batch)

    product(a.T, delta, gW2, False, panel)
    product(delta, W2.T, below, False, panel)
    gb1[:] = np.float32(0)
    gb2[:] = np.float32(0)
    for i in range(n):
        for j in range(h):
            below[i, j] *= np.float32(1) - a[i, j] * a[i, j]
            gb1[j] += below[i, j]
        for k in range(c):
            gb2[k] += delta[i, k]
    product(x.T, below, gW1, False, panel)
    return loss


@njit
def _layers(flat, d, h, c):
    """Both layers' weights and biases, as views."""
    first, second = flat[: d * h + h], flat[d * h + h :]
    upper = second[: h * c].reshape(h, c)
    return first[: d * h].reshape(d, h), first[d * h :], upper, second[h * c : h * c + c]


@njit
def _tanh(a):
    for i in range(a.shape[0]):
        row = a[i]
        for j in range(row.size):
            row[j] = tanh(row[j])
