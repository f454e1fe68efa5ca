"""The CPU engine of LeNet: an image at a time in cache, its channels in front, each thread its part of the batch.

With channels in front a row of unfolded windows is a run of the image itself, hundreds of numbers long: that is the
direction in which the processor's vectors go.  Unfolding again on the way back is cheaper than keeping the windows.
The dense layers see all images of the part at once.
"""

from __future__ import annotations

import numpy as np

from dl_exp.engine.cross_entropy import cross_entropy
from dl_exp.engine.product import K_BLOCK
from dl_exp.engine.tile import columns
from dl_exp.vision._cnn_engine_dense import dense, dense_back, tanh_all
from dl_exp.vision._cnn_engine_images import convolve, convolve_back, mean_back, means
from exp_core.compiled import REORDER, njit, prange


def threads(weights, x, labels, rates, shape):
    """Everything fused by hand: windows unfolded in cache, vector tanh and exp, each thread a part of the batch."""
    import numba

    weights, losses = weights.copy(), np.empty(len(x), np.float32)
    parts = min(numba.get_num_threads(), x.shape[1])
    panels = np.empty((parts, K_BLOCK, columns(weights.itemsize)), np.float32)
    _train(weights, x, labels, rates, losses, parts, panels, *shape)
    return losses, weights


@njit(parallel=True)
def _train(weights, x, labels, rates, losses, parts, panels, side, first, second, hidden, last, classes):
    updates, batch = x.shape[:2]
    gradients = np.zeros((parts, weights.size + 32), np.float32)  # no two threads write to one cache line
    sums = np.zeros((parts, 16), np.float64)
    for step in range(updates):
        for part in prange(parts):
            low, high = part * batch // parts, (part + 1) * batch // parts
            gradients[part] = np.float32(0)
            sums[part, 0] = _gradient(
                weights, x[step, low:high], labels[step, low:high], gradients[part], batch, panels[part],
                side, first, second, hidden, last, classes,
            )  # fmt: skip
        losses[step] = np.float32(sums[:, 0].sum() / batch)
        _descend(weights, gradients, rates[step])


@njit(fastmath=REORDER)
def _descend(weights, gradients, rate):
    for i in range(weights.size):
        g = gradients[0, i]
        for part in range(1, gradients.shape[0]):
            g += gradients[part, i]
        weights[i] -= rate * g


@njit
def _layer(flat, start, n, m):
    """Weights (n, m) and biases (m,) of a layer, and where the next one begins."""
    middle = start + n * m
    return flat[start:middle].reshape(n, m), flat[middle : middle + m], middle + m


@njit
def _gradient(weights, x, labels, gradient, batch, panel, side, first, second, hidden, last, classes):
    """The sum of the part's losses; its share of the gradient is added up.  Letters as in ``by_hand``."""
    n, pooled = x.shape[0], side // 2
    places = pooled - 4
    features = (places // 2) ** 2 * second
    W1, b1, at = _layer(weights, 0, 25, first)
    W2, b2, at = _layer(weights, at, 25 * first, second)
    W3, b3, at = _layer(weights, at, features, hidden)
    W4, b4, at = _layer(weights, at, hidden, last)
    W5, b5, at = _layer(weights, at, last, classes)
    g1, h1, at = _layer(gradient, 0, 25, first)
    g2, h2, at = _layer(gradient, at, 25 * first, second)
    g3, h3, at = _layer(gradient, at, features, hidden)
    g4, h4, at = _layer(gradient, at, hidden, last)
    g5, h5, at = _layer(gradient, at, last, classes)

    wide = np.zeros((n, 1, side + 4, side + 4), np.float32)  # images in a frame of two zeros
    a1 = np.empty((n, first, side * side), np.float32)
    p1 = np.empty((n, first, pooled, pooled), np.float32)
    a2 = np.empty((n, second, places * places), np.float32)
    f = np.empty((n, features), np.float32)
    c1 = np.empty((25, side * side), np.float32)
    c2 = np.empty((25 * first, places * places), np.float32)
    for image in range(n):
        wide[image, 0, 2 : side + 2, 2 : side + 2] = x[image]
        convolve(wide[image], W1, b1, c1, a1[image], panel)
        means(a1[image], side, p1[image].reshape(first, pooled * pooled))
        convolve(p1[image], W2, b2, c2, a2[image], panel)
        _features(a2[image], places, f[image])
    a3, a4 = np.empty((n, hidden), np.float32), np.empty((n, last), np.float32)
    d5 = np.empty((n, classes), np.float32)
    dense(f, W3, b3, a3, panel)
    tanh_all(a3)
    dense(a3, W4, b4, a4, panel)
    tanh_all(a4)
    dense(a4, W5, b5, d5, panel)
    loss = cross_entropy(d5, labels, batch)

    d4, d3, df = np.empty((n, last), np.float32), np.empty((n, hidden), np.float32), np.empty((n, features), np.float32)
    dense_back(a4, W5, d5, g5, h5, d4, panel)
    _through_tanh(d4, a4)
    dense_back(a3, W4, d4, g4, h4, d3, panel)
    _through_tanh(d3, a3)
    dense_back(f, W3, d3, g3, h3, df, panel)
    d2, d1 = np.empty((second, places * places), np.float32), np.empty((first, side * side), np.float32)
    below = np.empty((second, (places // 2) ** 2), np.float32)
    dp1, unfolded = np.empty((first, pooled, pooled), np.float32), np.empty_like(c2)
    for image in range(n):
        for j in range(features):
            below[j % second, j // second] = df[image, j]
        mean_back(below, places, a2[image], d2)
        convolve_back(p1[image], W2, d2, c2, g2, h2, unfolded, dp1, True, panel)
        mean_back(dp1.reshape(first, pooled * pooled), side, a1[image], d1)
        convolve_back(wide[image], W1, d1, c1, g1, h1, unfolded, dp1, False, panel)
    return loss


@njit
def _features(a, side, f):
    """Means of 2 by 2 in the order (row, column, channel)."""
    channels, half = a.shape[0], side // 2
    small = np.empty((channels, half * half), np.float32)
    means(a, side, small)
    for place in range(half * half):
        for channel in range(channels):
            f[place * channels + channel] = small[channel, place]


@njit(fastmath=REORDER)
def _through_tanh(d, a):
    for i in range(d.shape[0]):
        for j in range(d.shape[1]):
            d[i, j] *= np.float32(1) - a[i, j] * a[i, j]
