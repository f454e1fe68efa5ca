"""The CPU engine of LeNet: as many images at once as a vector has lanes, each thread its part of the batch.

One image after the other fills no vector (10 pixels a row, 6 channels), unless its windows are unfolded, which takes
longer than the product.  With an image in each lane (``dl_exp.engine.window``) nothing is unfolded, and tanh and means
are full vectors too.  A few images go all the way, forwards and back, while what they leave is in the thread's cache.
"""

from __future__ import annotations

import numpy as np

from dl_exp.engine.apart import apart
from dl_exp.engine.cross_entropy import cross_entropy
from dl_exp.engine.team import meet, together
from dl_exp.vision._cnn_engine_dense import dense, dense_back, tanh_all, through_tanh
from dl_exp.vision._cnn_engine_images import by_image, by_weights, convolve, mean_back, means
from dl_exp.vision._cnn_engine_memory import distances_in, memory
from exp_core.compiled import REORDER, njit


def threads(weights, x, labels, rates, shape):
    """Everything fused by hand: an image in each lane of a vector, nothing unfolded, a part of the batch a thread."""
    import numba

    from exp_core.vector.registers import registers

    images = registers().lanes(weights.itemsize)
    parts = min(numba.get_num_threads(), -(-x.shape[1] // images))
    weights, losses = weights.copy(), np.empty(len(x), np.float32)
    own, where, sums = memory(shape, parts, images, weights.size), distances_in(shape, images), np.zeros((parts, 16))
    layers = tuple(shape.layout.unpack(weights))

    def work(part, meeting):
        slopes = tuple(shape.layout.unpack(own.gradient[part, : weights.size]))
        _train(part, meeting, weights, layers, slopes, x, labels, rates, losses, sums, own, where)

    together(work, parts)
    return losses, weights


@njit
def _train(part, meeting, weights, layers, slopes, x, labels, rates, losses, sums, own, where):
    """What one of the threads does: its part of each batch, and then its part of the weights.

    layers: views of the weights, $W_1, b_1, \\dots, b_5$; slopes: the same of the part's gradient.
    """
    parts = len(sums)
    for step in range(len(x)):
        sums[part, 0] = _gradient(part, layers, slopes, x[step], labels[step], own, where)
        meet(meeting, parts)
        _descend(part, weights, own.gradient, rates[step])
        if part == 0:
            losses[step] = np.float32(sums[:, 0].sum() / x.shape[1])
        meet(meeting, parts)


@njit(fastmath=REORDER)
def _descend(part, weights, gradients, rate):
    """Each thread updates its part of the weights."""
    apart()
    parts, size = len(gradients), weights.size
    for i in range(part * size // parts, (part + 1) * size // parts):
        g = gradients[0, i]
        for other in range(1, parts):
            g += gradients[other, i]
        weights[i] -= rate * g


@njit(inline="always")
def _gradient(part, layers, slopes, x, labels, own, where):
    """The sum of the part's losses; its share of the gradient is in ``own.gradient``."""
    batch, parts, at_once = len(x), len(own.gradient), own.wide.shape[4]
    groups = (batch + at_once - 1) // at_once
    own.gradient[part] = np.float32(0)
    loss = 0.0
    for group in range(part * groups // parts, (part + 1) * groups // parts):
        first = group * at_once
        last = min(first + at_once, batch)
        loss += _forth_and_back(part, layers, slopes, x[first:last], labels[first:last], batch, own, where)
    return loss


@njit(inline="always")
def _forth_and_back(part, layers, slopes, x, labels, batch, own, where):
    """The sum of these images' losses; their gradient is added up.  Letters as in ``by_hand``."""
    wide, a1, p1, a2, p2 = own.wide[part], own.a1[part], own.p1[part], own.a2[part], own.p2[part]
    f, a3, a4, d5, panel = own.f[part], own.a3[part], own.a4[part], own.d5[part], own.panel[part]
    d4, d3, df, d2 = own.d4[part], own.d3[part], own.df[part], own.d2[part]
    dp1, d1, turned = own.dp1[part], own.d1[part], own.turned[part]
    W1, b1, W2, b2, W3, b3, W4, b4, W5, b5 = layers
    g1, h1, g2, h2, g3, h3, g4, h4, g5, h5 = slopes

    _into_lanes(x, wide)
    convolve(wide, W1, b1, where.window1, a1)
    means(a1, p1)
    convolve(p1, W2, b2, where.window2, a2)
    means(a2, p2)
    _channels_last(p2, f, False)
    dense(f, W3, b3, a3, panel)
    tanh_all(a3)
    dense(a3, W4, b4, a4, panel)
    tanh_all(a4)
    dense(a4, W5, b5, d5, panel)
    loss = _losses(d5, labels, batch, own.rows[part])

    dense_back(a4, W5, d5, g5, h5, d4, panel)
    through_tanh(d4, a4)
    dense_back(a3, W4, d4, g4, h4, d3, panel)
    through_tanh(d3, a3)
    dense_back(f, W3, d3, g3, h3, df, panel)
    _channels_last(p2, df, True)
    mean_back(p2, a2, d2)
    by_weights(p1, d2, where.places2, where.windows2, g2, h2)
    _turn(W2, turned)
    by_image(d2, turned, where.backwards, dp1)
    mean_back(dp1, a1, d1)
    by_weights(wide, d1, where.places1, where.windows1, g1, h1)
    return loss


@njit
def _into_lanes(x, wide):
    """Images (n, side, side), each into its lane; lanes without an image are dark."""
    n, side = x.shape[:2]
    for i in range(side):
        for j in range(side):
            for k in range(wide.shape[3]):
                wide[0, i + 2, j + 2, k] = x[k, i, j] if k < n else np.float32(0)


@njit
def _channels_last(p, f, back):
    """Channels in front, (channel, row, column, image), to features (row, column, channel; image), or back."""
    channels, half = p.shape[:2]
    for i in range(half):
        for j in range(half):
            for c in range(channels):
                for k in range(p.shape[3]):
                    if back:
                        p[c, i, j, k] = f[(i * half + j) * channels + c, k]
                    else:
                        f[(i * half + j) * channels + c, k] = p[c, i, j, k]


@njit
def _losses(d5, labels, batch, rows):
    """The sum of the losses; d5: scores (classes, image) become their derivatives, 0 where there is no image."""
    n = labels.size
    for k in range(n):
        for c in range(d5.shape[0]):
            rows[k, c] = d5[c, k]
    loss = cross_entropy(rows[:n], labels, batch)
    for c in range(d5.shape[0]):
        for k in range(d5.shape[1]):
            d5[c, k] = rows[k, c] if k < n else np.float32(0)
    return loss


@njit
def _turn(W, turned):
    """(window, channel in; channel out) to (window, channel out; channel in)."""
    channels, channels_out = turned.shape[1], W.shape[1]
    for place in range(W.shape[0] // channels):
        for c in range(channels):
            for o in range(channels_out):
                turned[place * channels_out + o, c] = W[place * channels + c, o]
