"""Windows of an image as rows of a matrix, and what follows from that: convolution and pooling.

Images are (N, H, W, C): N images of H rows, W columns and C channels (MLX's layout).  Kernel, stride, padding and
dilation are one integer for both directions or a pair (rows, columns).  A window's place i reads the input at
$i s - p + j d$, so that there are $\\lfloor (H + 2p - d(k - 1) - 1)/s \\rfloor + 1$ places.  Element types: float64,
float32, float16, bfloat16; halves are summed in float32 and rounded once.  Each raises ValueError for shapes, strides,
... that do not fit, TypeError for other element types.

Source: V. Dumoulin, F. Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285 (2016).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from exp_core.tensor.convert import in_dtype, rounded, widened
from exp_core.tensor.dtypes import dtype_name
from exp_core.tensor.namespaces import A, Key, Work, namespace

Two: TypeAlias = "int | tuple[int, int]"


@np.errstate(all="ignore")
def unfold(x: A, kernel: Two, *, stride: Two = 1, padding: Two = 0, dilation: Two = 1) -> A:
    """im2col: $(N, H, W, C) \\to (N, H', W', k_h k_w C)$, the window at each place as a row; 0 outside the image."""
    windows = _windows(x, kernel, stride, padding, dilation, outside=0.0)
    return rounded(windows.reshape((*windows.shape[:3], windows.shape[3] * windows.shape[4])), like=x)


@np.errstate(all="ignore")
def fold(
    columns: A, shape: tuple[int, int, int, int], kernel: Two, *, stride: Two = 1, padding: Two = 0, dilation: Two = 1
) -> A:
    """col2im, the transpose of unfold: each entry of each window is added to the pixel that it was read from.

    columns  (N, H', W', k_h k_w C), as unfold returns them for an image of this shape (N, H, W, C).
    result   (N, H, W, C).  fold(unfold(x)) is x times the number of windows that read a pixel: no inverse, but the
             derivative.
    """
    n, height, width, channels = shape
    (kh, kw), (ph, pw) = _two(kernel, "kernel"), _two(padding, "padding", 0)
    rows, cols = _places(height, width, kernel, stride, padding, dilation)
    if columns.shape != (n, rows, cols, kh * kw * channels):
        raise ValueError(f"columns must have shape {(n, rows, cols, kh * kw * channels)}, not {columns.shape}")
    w = widened(columns).reshape((n, rows, cols, kh * kw, channels))
    image = namespace(columns).zeros((n, height + 2 * ph, width + 2 * pw, channels), w.dtype)
    for place, key in enumerate(_reads(rows, cols, kernel, stride, dilation)):
        image[key] = image[key] + w[:, :, :, place]
    return rounded(image[:, ph : ph + height, pw : pw + width], like=columns)


@np.errstate(all="ignore")
def conv2d(x: A, weight: A, *, stride: Two = 1, padding: Two = 0, dilation: Two = 1) -> A:
    """$y_{nabo} = \\sum_{ijc} w_{oijc} \\, x_{n,\\, as - p + id,\\, bs - p + jd,\\, c}$.

    One matrix product of unfolded windows.

    weight   $(O, k_h, k_w, C)$; the kernel is not flipped (a cross-correlation, as everywhere in deep learning).
    result   (N, H', W', O), error at most $\\gamma_{k_h k_w C} \\sum |w| |x|$.
    """
    if weight.ndim != 4 or x.ndim != 4 or weight.shape[3] != x.shape[3]:
        raise ValueError(f"need an image (N, H, W, C) and a weight (O, kh, kw, C), not {x.shape} and {weight.shape}")
    out, kh, kw, _ = weight.shape
    xp = namespace(x, weight)
    windows = _windows(x, (kh, kw), stride, padding, dilation, outside=0.0)
    n, rows, cols = windows.shape[:3]
    matrix = windows.reshape((n * rows * cols, windows.shape[3] * windows.shape[4]))
    terms = widened(weight, x).reshape((out, matrix.shape[1]))
    if 0 in (matrix.size, out):
        return rounded(xp.zeros((n, rows, cols, out), matrix.dtype), like=x)
    matrix = in_dtype(matrix, dtype_name(terms))  # where the weight is the wider one
    return rounded((matrix @ xp.swapaxes(terms, 0, 1)).reshape((n, rows, cols, out)), like=x)


@np.errstate(all="ignore")
def max_pool2d(x: A, kernel: Two, *, stride: Two | None = None, padding: Two = 0) -> A:
    """The largest entry of each window, channel by channel, (N, H, W, C) to (N, H', W', C); the padding never wins.

    The stride is the kernel unless given; padding is at most half the kernel, so that no window is all padding.  NaN
    wins.
    """
    _check_pool(kernel, padding)
    windows = _windows(x, kernel, kernel if stride is None else stride, padding, 1, outside=-math.inf)
    return rounded(namespace(x).max(windows, axis=3), like=x)


@np.errstate(all="ignore")
def average_pool2d(x: A, kernel: Two, *, stride: Two | None = None, padding: Two = 0) -> A:
    """The mean of each window, (N, H, W, C) to (N, H', W', C); the padding's zeros count.  Stride as for max_pool2d."""
    _check_pool(kernel, padding)
    windows = _windows(x, kernel, kernel if stride is None else stride, padding, 1, outside=0.0)
    return rounded(namespace(x).mean(windows, axis=3), like=x)


def _windows(x: A, kernel: Two, stride: Two, padding: Two, dilation: Two, *, outside: float) -> Work:
    """(N, H, W, C) -> (N, H', W', k_h k_w, C): one strided read of the padded image for each place in the kernel."""
    if x.ndim != 4:
        raise ValueError(f"an image has shape (N, H, W, C), not {x.shape}")
    rows, cols = _places(x.shape[1], x.shape[2], kernel, stride, padding, dilation)
    ph, pw = _two(padding, "padding", 0)
    padded = namespace(x).pad(widened(x), ((0, 0), (ph, ph), (pw, pw), (0, 0)), constant_values=outside)
    return namespace(x).stack([padded[key] for key in _reads(rows, cols, kernel, stride, dilation)], axis=3)


def _reads(rows: int, cols: int, kernel: Two, stride: Two, dilation: Two) -> Iterator[Key]:
    """For each place in the kernel, row by row, the pixels of the padded image that it reads."""
    (kh, kw), (sh, sw), (dh, dw) = _two(kernel, "kernel"), _two(stride, "stride"), _two(dilation, "dilation")
    for i in range(kh):
        for j in range(kw):
            down = slice(i * dh, i * dh + (rows - 1) * sh + 1, sh)
            across = slice(j * dw, j * dw + (cols - 1) * sw + 1, sw)
            yield slice(None), down, across


def _places(height: int, width: int, kernel: Two, stride: Two, padding: Two, dilation: Two) -> tuple[int, int]:
    """How many windows fit, downwards and across."""
    counts = []
    for length, k, s, p, d in zip(
        (height, width),
        _two(kernel, "kernel"),
        _two(stride, "stride"),
        _two(padding, "padding", 0),
        _two(dilation, "dilation"),
        strict=True,
    ):
        extent = d * (k - 1) + 1
        if length + 2 * p < extent:
            raise ValueError(f"a kernel that extends over {extent} does not fit into {length} with padding {p}")
        counts.append((length + 2 * p - extent) // s + 1)
    return counts[0], counts[1]


def _two(value: Two, what: str, least: int = 1) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int) else value
    if len(pair) != 2 or min(pair) < least:
        raise ValueError(f"{what} must be an integer >= {least}, or two of them, not {value}")
    return pair


def _check_pool(kernel: Two, padding: Two) -> None:
    for k, p in zip(_two(kernel, "kernel"), _two(padding, "padding", 0), strict=True):
        if 2 * p > k:
            raise ValueError(f"padding {p} is more than half the kernel {k}: some windows would be all padding")
