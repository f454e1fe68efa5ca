"""Convolution: a filter moved over an image, as sums, as a matrix product, as a product of spectra, and by Winograd.

Problem   $y_{nabo} = \\sum_{ijc} w_{oijc} \\, x_{n,\\, a+i-p,\\, b+j-p,\\, c}$; x is (N, H, W, C), w is (O, k, k, C),
          float32, with $p = \\lfloor (k - 1)/2 \\rfloor$ zeros around the image.
Idea      The windows of all pixels as rows of a matrix make one matrix product of it (im2col): fast, and $k^2$ times
          the memory.  In frequencies a convolution is a product, whatever k is.  Winograd's F(2×2, 3×3) takes 16
          multiplications for 4 results instead of 36 and pays in additions, and with larger tiles in digits.
Look for  The windows need not be written down: the image read with overlap is their matrix.  How little of the 2.25 is
          left of Winograd's gain, once its transforms are paid; F(2×2, 3×3) is as exact as the sum, larger tiles are
          not (the picture).  On the problem edges brightness cancels in filters that sum to zero: everybody loses
          digits of y, and Winograd fewest, whose first step takes differences of pixels.
          mx.conv2d beats our array forms since each of their steps is a pass over memory, and it makes one copy; as
          that copy outgrows the cache (--images 1 to 8) it loses 3/4 of its speed.  Deep layers of few pixels (--height
          7 --width 7 --channels 512 --filters 512) are one product for it at half of the processor's peak, and there
          ours are no faster: packing filters takes a fifth of the sum's time, transforming them three eighths of
          Winograd's, and few pixels share it.  With 3 channels Winograd loses to the sum: each of its sixteen products
          adds three terms, and a tile of results costs more to put away than to compute.
Source    A. Lavin, S. Gray, Fast algorithms for convolutional neural networks, arXiv:1509.09308 (2015).
          B. Barabasz et al., Error analysis and improving the accuracy of Winograd convolution for deep neural
          networks, ACM TOMS 46 (2020), doi:10.1145/3412380.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from dl_exp.vision import _convolution_laws as laws
from dl_exp.vision._convolution_compiled import direct_compiled
from dl_exp.vision._convolution_picture import picture
from dl_exp.vision._convolution_winograd import three_by_three, winograd, winograd_bound
from dl_exp.vision._convolution_winograd_compiled import winograd_compiled
from exp_core import Experiment, Implementation, Problem
from exp_core.tensor import normal, unfold


def direct(x, w):
    """The sum as it is written; what lies outside of the image is left out."""
    (_, height, width, channels), (out, k) = x.shape, w.shape[:2]
    p = laws.padding(w)
    y = np.zeros((*laws.results(x, w), out), x.dtype)
    for image, a, b, o in np.ndindex(y.shape):
        total = x.dtype.type(0)
        for i in range(max(0, p - a), min(k, height + p - a)):
            for j in range(max(0, p - b), min(k, width + p - b)):
                for c in range(channels):
                    total = total + w[o, i, j, c] * x[image, a + i - p, b + j - p, c]
        y[image, a, b, o] = total
    return y


def by_taps(x, w):
    """One matrix product for each of the $k^2$ places in the filter: the image, shifted, times a (C, O) matrix."""
    import mlx.core as mx

    p, k = laws.padding(w), w.shape[1]
    padded = mx.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
    height, width = padded.shape[1] - k + 1, padded.shape[2] - k + 1
    return sum(padded[:, i : i + height, j : j + width] @ w[:, i, j].T for i in range(k) for j in range(k))


def im2col(x, w):
    """One matrix product: every window of the image as a row, which writes each pixel $k^2$ times."""
    out, k, _, channels = w.shape
    return unfold(x, k, padding=laws.padding(w)) @ w.reshape(out, k * k * channels).T


def fourier(x, w):
    """A product of spectra: what the filter's size costs no longer grows with it."""
    import mlx.core as mx

    p, k = laws.padding(w), w.shape[1]
    padded = mx.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
    height, width = padded.shape[1:3]
    size = [laws.transform_length(height), laws.transform_length(width)]
    X, W = mx.fft.rfft2(padded, size, axes=(1, 2)), mx.fft.rfft2(w, size, axes=(1, 2))
    X, W = X.transpose(1, 2, 0, 3), mx.conj(W).transpose(1, 2, 3, 0)  # (f, g, N, C), (f, g, C, O)
    y = mx.fft.irfft2((X @ W).transpose(2, 0, 1, 3), size, axes=(1, 2))
    return y[:, : height - k + 1, : width - k + 1]


def library(x, w):
    """mx.conv2d: on a CPU it copies the windows and calls BLAS."""
    import mlx.core as mx

    return mx.conv2d(x, w, padding=laws.padding(w))


def layer(
    images: Annotated[int, "number of images"] = 8,
    height: Annotated[int, "rows of pixels"] = 56,
    width: Annotated[int, "columns of pixels"] = 56,
    channels: Annotated[int, "channels of the image"] = 64,
    filters: Annotated[int, "filters"] = 64,
    kernel: Annotated[int, "rows and columns of a filter"] = 3,
    *,
    dtype,
    rng,
):
    """Normal pixels, and filters that keep their variance (a layer of ResNet-18)."""
    check(height, width, kernel)
    deviation = (2 / (kernel * kernel * channels)) ** 0.5
    w = normal(rng, (filters, kernel, kernel, channels), dtype) * np.asarray(deviation, dtype)
    return normal(rng, (images, height, width, channels), dtype), w


def edges(
    images: Annotated[int, "number of images"] = 8,
    height: Annotated[int, "rows of pixels"] = 56,
    width: Annotated[int, "columns of pixels"] = 56,
    channels: Annotated[int, "channels of the image"] = 64,
    filters: Annotated[int, "filters"] = 64,
    kernel: Annotated[int, "rows and columns of a filter"] = 3,
    *,
    dtype,
    rng,
):
    """Bright pixels, 100 + normal, and filters that sum to zero in every channel: the brightness cancels."""
    x, w = layer(images, height, width, channels, filters, kernel, dtype=dtype, rng=rng)
    return x + np.asarray(100, dtype), w - w.mean(axis=(1, 2), keepdims=True)


def photograph(
    stride: Annotated[int, "every so many rows and columns of pixels are taken"] = 2,
    filters: Annotated[int, "filters"] = 64,
    kernel: Annotated[int, "rows and columns of a filter"] = 3,
    *,
    dtype,
    rng,
):
    """A photograph of a temple, 427 by 640 pixels, and filters as a network's first layer has before it learns."""
    from sklearn.datasets import load_sample_image

    x = (load_sample_image("china.jpg")[None, ::stride, ::stride] / 255).astype(dtype)
    return x, layer(1, *x.shape[1:], filters, kernel, dtype=dtype, rng=rng)[1]


def check(height, width, kernel):
    """Raise ValueError if there is no place for the filter."""
    if kernel % 2 == 0 and min(height, width) < 2:
        raise ValueError(
            f"a filter of {kernel} by {kernel} needs two rows and columns of pixels, not {height} by {width}"
        )


SMALL = {"images": 2, "height": 6, "width": 5, "channels": 3, "filters": 4}
AWKWARD = (
    {"images": 1, "height": 1, "width": 1, "channels": 1, "filters": 1, "kernel": 1},
    {"images": 1, "height": 2, "width": 3, "channels": 1, "filters": 2, "kernel": 2},
    {"images": 3, "height": 7, "width": 9, "channels": 5, "filters": 17},
    {"images": 1, "height": 3, "width": 19, "channels": 17, "filters": 7, "kernel": 5},
)
SUM = laws.sum_bound

EXPERIMENT = Experiment(
    problems=(
        Problem(layer, small=SMALL, awkward=AWKWARD),
        Problem(edges, kind="hard", small=SMALL, awkward=AWKWARD),
        Problem(
            photograph, kind="real", small={"stride": 70, "filters": 4}, thins=("stride",), requires=("sklearn", "PIL")
        ),
    ),
    dtypes=("float32",),
    oracle=laws.exact,
    laws={"normwise error": laws.normwise_error},
    figures={"lost of y": laws.lost},
    implementations=(
        Implementation(direct, "textbook", cost=laws.cost(laws.nothing), bound=SUM),
        Implementation(by_taps, "vectorised", cost=laws.cost(laws.shifted), bound=SUM, arrays="mlx"),
        Implementation(im2col, "vectorised", cost=laws.cost(laws.unfolded), bound=SUM, arrays="mlx"),
        Implementation(fourier, "vectorised", cost=laws.fft_cost, bound=laws.fft_bound, arrays="mlx"),
        Implementation(
            winograd,
            "vectorised",
            cost=laws.winograd_cost(4),
            bound=winograd_bound,
            arrays="mlx",
            skip=three_by_three,
        ),
        Implementation(direct_compiled, "compiled", cost=laws.cost(laws.packed), bound=SUM),
        Implementation(
            winograd_compiled, "compiled", cost=laws.winograd_cost(1), bound=winograd_bound, skip=three_by_three
        ),
        Implementation(library, "library", cost=laws.cost(laws.unfolded), bound=SUM, arrays="mlx"),
    ),
    picture=picture,
)
