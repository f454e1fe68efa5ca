"""LeNet in NumPy: a convolution is one product with the matrix of unfolded windows."""

from __future__ import annotations

import numpy as np

from dl_exp.vision._cnn_model import KERNEL, PADDING


def unfolded(x, padding):
    """$(N, H, W, C) \\to (N H' W', 25 C)$: the window at each place as a row."""
    n, side, _, channels = x.shape
    wide = np.zeros_like(x, shape=(n, side + 2 * padding, side + 2 * padding, channels))
    wide[:, padding : padding + side, padding : padding + side] = x
    places = side + 2 * padding - KERNEL + 1
    columns = np.empty_like(x, shape=(n, places, places, KERNEL, KERNEL, channels))
    for i in range(KERNEL):
        for j in range(KERNEL):
            columns[:, :, :, i, j] = wide[:, i : i + places, j : j + places]
    return columns.reshape(n * places * places, KERNEL * KERNEL * channels)


def folded(columns, n, side, channels):
    """The transpose: each number of each window is added to the pixel it was read from; no padding; (N, H, W, C)."""
    places = side - KERNEL + 1
    columns = columns.reshape(n, places, places, KERNEL, KERNEL, channels)
    x = np.zeros_like(columns, shape=(n, side, side, channels))
    for i in range(KERNEL):
        for j in range(KERNEL):
            x[:, i : i + places, j : j + places] += columns[:, :, :, i, j]
    return x


def halved(x):
    """Means of 2 by 2."""
    n, side, _, channels = x.shape
    return np.mean(x.reshape(n, side // 2, 2, side // 2, 2, channels), axis=(2, 4))


def doubled(d):
    """Its derivative: a quarter to each of the four."""
    n, side, _, channels = d.shape
    spread = np.empty_like(d, shape=(n, side, 2, side, 2, channels))
    spread[...] = (d / 4)[:, :, None, :, None]
    return spread.reshape(n, 2 * side, 2 * side, channels)


def forward(weights, images, shape):
    """Everything that the way back needs: unfolded windows, activations, scores."""
    W1, b1, W2, b2, W3, b3, W4, b4, W5, b5 = shape.layout.unpack(weights)
    n = len(images)
    c1 = unfolded(images[..., None], PADDING)
    a1 = np.tanh(c1 @ W1 + b1)  # (n side^2, first)
    c2 = unfolded(halved(a1.reshape(n, shape.side, shape.side, shape.first)), 0)
    a2 = np.tanh(c2 @ W2 + b2)  # (n places^2, second)
    f = halved(a2.reshape(n, shape.places, shape.places, shape.second)).reshape(n, shape.features)
    a3 = np.tanh(f @ W3 + b3)
    a4 = np.tanh(a3 @ W4 + b4)
    return c1, a1, c2, a2, f, a3, a4, a4 @ W5 + b5


def by_hand(weights, x, labels, rates, shape):
    """A batch at once: convolutions as matrix products, and their derivatives as their transposes."""
    weights, losses = weights.copy(), []
    for images, targets, rate in zip(x, labels, rates, strict=True):
        parts = shape.layout.unpack(weights)
        W2, W3, W4, W5 = parts[2::2]
        n, rows = len(images), np.arange(len(images))
        c1, a1, c2, a2, f, a3, a4, z = forward(weights, images, shape)
        z = z - np.max(z, axis=1, keepdims=True)
        powers = np.exp(z)
        totals = np.sum(powers, axis=1, keepdims=True)
        losses.append(np.mean(np.log(totals[:, 0]) - z[rows, targets]))
        d5 = powers / totals
        d5[rows, targets] = d5[rows, targets] - 1
        d5 = d5 / n
        d4 = (d5 @ W5.T) * (1 - a4 * a4)
        d3 = (d4 @ W4.T) * (1 - a3 * a3)
        half = shape.places // 2
        d2 = doubled((d3 @ W3.T).reshape(n, half, half, shape.second)).reshape(a2.shape) * (1 - a2 * a2)
        below = folded(d2 @ W2.T, n, shape.pooled, shape.first)
        d1 = doubled(below).reshape(a1.shape) * (1 - a1 * a1)
        slopes = (c1.T @ d1, np.sum(d1, axis=0), c2.T @ d2, np.sum(d2, axis=0), f.T @ d3, np.sum(d3, axis=0),
                  a3.T @ d4, np.sum(d4, axis=0), a4.T @ d5, np.sum(d5, axis=0))  # fmt: skip
        for part, slope in zip(parts, slopes, strict=True):
            part -= rate * slope
    return np.array(losses, weights.dtype), weights
