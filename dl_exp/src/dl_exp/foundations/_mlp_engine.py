"""The CPU engine of the multilayer perceptron: gradients by hand, compiled, each thread its part of the hidden units.

A part's columns of $W_1$ and rows of $W_2$ are used by nobody else: they stay in their core's cache for the whole run.
What the parts must tell each other are their shares of the scores, (batch, classes): one meeting a step.  (With a part
of the batch each instead, all weights and all gradients would pass from core to core at every step.)
Source: M. Shoeybi et al., Megatron-LM: Training Multi-Billion Parameter Language Models Using Model Parallelism,
arXiv:1909.08053 (2019), section 3.
"""

from __future__ import annotations

import numpy as np

from dl_exp.engine.cross_entropy import cross_entropy
from dl_exp.engine.product import K_BLOCK, product
from dl_exp.engine.tile import columns
from dl_exp.foundations._mlp_model import RATE
from exp_core.compiled import REORDER, njit, prange
from exp_core.vector import tanh

APART = 32  # numbers between what two threads write: no cache line is shared, nor the one that is fetched beside it


def threads(weights, x, labels, shape):
    """Everything fused by hand: no graph, vector tanh and exp, each thread a part of the hidden units."""
    (updates, batch, _), (d, h, c) = x.shape, shape
    parts = _parts(h)
    most = -(-h // parts)  # units of the largest part
    own = np.empty((parts, (d + 1 + c) * most + c + APART), np.float32)
    units = np.empty((parts, 2, batch * most + APART), np.float32)
    scores = np.empty((parts, 2, batch * c + APART), np.float32)
    z = np.empty((parts, batch * c + APART), np.float32)
    panels = np.empty((parts, K_BLOCK, columns(weights.itemsize)), np.float32)
    weights, losses = weights.copy(), np.empty(updates, np.float32)
    _train(weights, x, labels, h, c, np.float32(RATE), losses, own, units, scores, z, panels)
    return losses, weights


def _parts(hidden):
    """As many as there are threads, but none with less than half a tile's width."""
    import numba

    return max(1, min(numba.get_num_threads(), 2 * hidden // columns(4)))


@njit(parallel=True)
def _train(weights, x, labels, h, c, rate, losses, own, units, scores, z, panels):
    for step in range(x.shape[0] + 1):
        for part in prange(own.shape[0]):
            _turn(step, np.intp(part), weights, x, labels, h, c, rate, losses, own, units, scores, z, panels)


@njit
def _turn(step, part, weights, x, labels, h, c, rate, losses, own, units, scores, z, panels):
    """What a part does between two meetings: the way back of the step before, and the way forward of this one."""
    parts, (updates, batch, d) = len(own), x.shape
    first, last = part * h // parts, (part + 1) * h // parts
    n = last - first
    mine = _layers(own[part], d, n, c)
    a, below = units[part, 0, : batch * n].reshape(batch, n), units[part, 1, : batch * n].reshape(batch, n)
    if step == 0:
        _copy(_layers(weights, d, h, c), first, mine, 0, n)
    else:
        shares, delta = scores[:, (step - 1) % 2], z[part, : batch * c].reshape(batch, c)
        loss = _meet(shares, mine[3], labels[step - 1], delta)
        if part == 0:
            losses[step - 1] = np.float32(loss / batch)
        _back(mine, x[step - 1], a, delta, below, rate, panels[part])
    if step < updates:
        _forth(mine, x[step], a, scores[part, step % 2, : batch * c].reshape(batch, c), panels[part])
    else:
        _copy(mine, 0, _layers(weights, d, h, c), first, n)


@njit
def _forth(mine, x, a, share, panel):
    """The part's units, (batch, n), and their share of the scores, (batch, c).  Letters as in ``by_hand``."""
    W1, b1, W2, _ = mine
    for i in range(len(x)):
        for j in range(len(b1)):
            a[i, j] = b1[j]
    product(x, W1, a, True, panel)
    _tanh(a)
    product(a, W2, share, False, panel)


@njit(fastmath=REORDER)
def _meet(shares, b2, labels, delta):
    """The sum of the losses; delta: its gradient over the batch, in the scores that all parts' shares make."""
    batch, c = delta.shape
    for i in range(batch):
        for k in range(c):
            s = b2[k]
            for part in range(len(shares)):
                s += shares[part, i * c + k]
            delta[i, k] = s
    return cross_entropy(delta, labels, batch)


@njit(fastmath=REORDER)
def _back(mine, x, a, delta, below, rate, panel):
    """Descend: the products add to the weights themselves, and no gradient is ever stored."""
    W1, b1, W2, b2 = mine
    product(delta, W2.T, below, False, panel)
    for i in range(len(x)):
        for k in range(len(b2)):
            delta[i, k] *= -rate
            b2[k] += delta[i, k]
        for j in range(len(b1)):
            below[i, j] *= -rate * (np.float32(1) - a[i, j] * a[i, j])
            b1[j] += below[i, j]
    product(a.T, delta, W2, True, panel)
    product(x.T, below, W1, True, panel)


@njit
def _layers(flat, d, h, c):
    """Both layers' weights and biases, as views."""
    first, second = flat[: d * h + h], flat[d * h + h :]
    upper = second[: h * c].reshape(h, c)
    return first[: d * h].reshape(d, h), first[d * h :], upper, second[h * c : h * c + c]


@njit
def _copy(source, i, target, j, n):
    """n units, from number i of one network's to number j of another's; b2 belongs to no unit, and comes along."""
    for r in range(n):
        for k in range(len(source[0])):
            target[0][k, j + r] = source[0][k, i + r]
        target[1][j + r] = source[1][i + r]
        for k in range(len(source[3])):
            target[2][j + r, k] = source[2][i + r, k]
            target[3][k] = source[3][k]


@njit
def _tanh(a):
    for i in range(a.shape[0]):
        row = a[i]
        for j in range(row.size):
            row[j] = tanh(row[j])
