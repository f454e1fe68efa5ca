"""LeNet as loops over numbers: every convolution as its definition has it, and its derivative place by place."""

from __future__ import annotations

import itertools
import math
from operator import mul

import numpy as np

from dl_exp.vision._cnn_model import KERNEL, PADDING


def convolve(x, W, b, padding):
    """$z_{abo} = b_o + \\sum_{ijc} x_{a+i-p,\\,b+j-p,\\,c} W_{ijc,o}$."""
    side, channels = len(x) + 2 * padding - KERNEL + 1, len(x[0][0])
    z = [[list(b) for _ in range(side)] for _ in range(side)]
    for a, col, i, j, c in windows(side, channels):
        row, column = a + i - padding, col + j - padding
        if 0 <= row < len(x) and 0 <= column < len(x):
            pixel, place = x[row][column][c], z[a][col]
            for o, w in enumerate(W[(i * KERNEL + j) * channels + c]):
                place[o] += pixel * w
    return z


def by_weights(x, dz, padding, gW, gb):
    """The derivatives by weights and biases are added up."""
    side, channels = len(dz), len(x[0][0])
    for a, col in itertools.product(range(side), repeat=2):
        for o, d in enumerate(dz[a][col]):
            gb[o] += d
    for a, col, i, j, c in windows(side, channels):
        row, column = a + i - padding, col + j - padding
        if 0 <= row < len(x) and 0 <= column < len(x):
            pixel, slopes = x[row][column][c], gW[(i * KERNEL + j) * channels + c]
            for o, d in enumerate(dz[a][col]):
                slopes[o] += pixel * d


def by_image(W, dz, channels):
    """The derivative by the image, which had no zeros around it."""
    size = len(dz) + KERNEL - 1
    dx = [[[0.0] * channels for _ in range(size)] for _ in range(size)]
    for a, col, i, j, c in windows(len(dz), channels):
        weights = W[(i * KERNEL + j) * channels + c]
        dx[a + i][col + j][c] += sum(map(mul, weights, dz[a][col]))
    return dx


def windows(side, channels):
    """Every place, and every number in its window."""
    return itertools.product(range(side), range(side), range(KERNEL), range(KERNEL), range(channels))


def halve(x):
    """Means of 2 by 2."""
    side, channels = len(x) // 2, len(x[0][0])
    return [[[sum(x[2 * a + i][2 * b + j][c] for i in (0, 1) for j in (0, 1)) / 4 for c in range(channels)]
             for b in range(side)] for a in range(side)]  # fmt: skip


def through_tanh_and_mean(a, below):
    """From the derivative by the means to that by what went into tanh."""
    return [[[below[r // 2][s // 2][c] / 4 * (1 - v * v) for c, v in enumerate(a[r][s])]
             for s in range(len(a))] for r in range(len(a))]  # fmt: skip


def dense(x, W, b):
    """$xW + b$."""
    return [b_j + sum(x_i * row[j] for x_i, row in zip(x, W, strict=True)) for j, b_j in enumerate(b)]


def dense_back(x, W, d, gW, gb):
    """The derivatives by weights and biases are added up; that by x is returned."""
    for j, d_j in enumerate(d):
        gb[j] += d_j
        for i, x_i in enumerate(x):
            gW[i][j] += x_i * d_j
    return [sum(w * d_j for w, d_j in zip(row, d, strict=True)) for row in W]


def tanh_all(x):
    """tanh of every number in a nest of lists."""
    return [tanh_all(item) for item in x] if isinstance(x, list) else math.tanh(x)


def example(parts, gradients, image, target, share):
    """One image: its share of the gradient is added up, and its loss returned."""
    W1, b1, W2, b2, W3, b3, W4, b4, W5, b5 = parts
    gW1, gb1, gW2, gb2, gW3, gb3, gW4, gb4, gW5, gb5 = gradients
    x = [[[pixel] for pixel in row] for row in image]
    a1 = tanh_all(convolve(x, W1, b1, PADDING))
    p1 = halve(a1)
    a2 = tanh_all(convolve(p1, W2, b2, 0))
    f = [v for row in halve(a2) for place in row for v in place]
    a3 = tanh_all(dense(f, W3, b3))
    a4 = tanh_all(dense(a3, W4, b4))
    z = dense(a4, W5, b5)
    powers = [math.exp(v - max(z)) for v in z]
    total = sum(powers)
    d = [share * (power / total - (k == target)) for k, power in enumerate(powers)]
    d = [v * (1 - a * a) for v, a in zip(dense_back(a4, W5, d, gW5, gb5), a4, strict=True)]
    d = [v * (1 - a * a) for v, a in zip(dense_back(a3, W4, d, gW4, gb4), a3, strict=True)]
    d = iter(dense_back(f, W3, d, gW3, gb3))
    below = [[[next(d) for _ in b2] for _ in range(len(a2) // 2)] for _ in range(len(a2) // 2)]
    d2 = through_tanh_and_mean(a2, below)
    by_weights(p1, d2, 0, gW2, gb2)
    d1 = through_tanh_and_mean(a1, by_image(W2, d2, len(b1)))
    by_weights(x, d1, PADDING, gW1, gb1)
    return share * (math.log(total) + max(z) - z[target])


def loops(weights, x, labels, rates, shape):
    """Number after number: every sum of the page is a loop."""
    weights, losses = weights.astype(float), []
    for images, targets, rate in zip(x.tolist(), labels.tolist(), rates.tolist(), strict=True):
        parts = [part.tolist() for part in shape.layout.unpack(weights)]
        gradients = [part.tolist() for part in shape.layout.unpack(0 * weights)]
        pairs = zip(images, targets, strict=True)
        losses.append(sum(example(parts, gradients, image, target, 1 / len(images)) for image, target in pairs))
        weights = weights - rate * shape.layout.pack([np.array(part) for part in gradients])
    return np.array(losses, np.float32), weights.astype(np.float32)
