"""What a right convolution obeys, what each way of it costs, and how far each may be off."""

from __future__ import annotations

import math

import numpy as np

from exp_core import Cost
from exp_core.tensor import conv2d, dtype_name, gamma, unit_roundoff


def padding(w):
    """So many zeros around the image that a filter of odd size gives as many results as there are pixels."""
    return (w.shape[1] - 1) // 2


def exact(x, w):
    """The same in float64."""
    return conv2d(x.astype(np.float64), w.astype(np.float64), padding=padding(w))


def scale(x, w):
    """The largest that a result can be: max|x| times the largest sum of |w| over a filter."""
    return float(np.abs(x).max()) * float(np.abs(w.astype(np.float64)).sum(axis=(1, 2, 3)).max())


def normwise_error(y, x, w, truth):
    r"""$\max |\hat y - y| / (\max |x| \max_o \sum |w_o|)$."""
    if y.shape != truth.shape or dtype_name(y) != dtype_name(x):
        return math.inf
    error = float(np.abs(y - truth).max())
    return error / size if (size := scale(x, w)) else (0.0 if error == 0 else math.inf)


def lost(y, x, w, truth):
    r"""$\max |\hat y - y|$ over the median of $|y|$: what is lost where terms cancel; no bound can promise to keep it.

    (At the image's border the zeros around it keep them from cancelling, so that the largest result says nothing.)
    """
    typical = float(np.median(np.abs(truth)))
    return float(np.abs(y - truth).max()) / typical if typical else 0.0


def sum_bound(x, w):
    """A sum of $k^2 C$ products in any order: Higham, Accuracy and Stability (2002), eq. (3.5)."""
    return gamma(w[0].size, x)


def fft_bound(x, w):
    """Two transforms, products summed over the channels, and a transform back.

    With $\\epsilon = L\\eta / (1 - L\\eta)$, $L = \\log_2$ of the number of points, a transform errs by $\\epsilon$ of
    its 2-norm (Higham (2002), theorem 24.2).  By Cauchy and Schwarz the products then put at most
    $\\sum_c \\|x_c\\| \\|w_c\\| (2\\epsilon + \\epsilon^2 + \\gamma_{2C+4} (1 + \\epsilon)^2)$ into any result, and
    the way back at most $\\epsilon \\sum_c \\|x_c\\| \\|w_c\\|_1$, the 2-norm of all results being no larger than that.
    """
    u = unit_roundoff(x)
    eta = u + gamma(4, x) * (math.sqrt(2) + u)  # the roots of unity are within u
    points = math.log2(np.prod([transform_length(x.shape[axis] + 2 * padding(w)) for axis in (1, 2)]))
    e = points * eta / (1 - points * eta)
    x64, w64 = x.astype(np.float64), w.astype(np.float64)
    sizes = np.sqrt((x64**2).sum(axis=(1, 2)))  # (N, C)
    filters, sums = np.sqrt((w64**2).sum(axis=(1, 2))), np.abs(w64).sum(axis=(1, 2))  # (O, C)
    products = 2 * e + e**2 + gamma(2 * x.shape[3] + 4, x) * (1 + e) ** 2
    largest = (products * sizes @ filters.T + (1 + products) * e * sizes @ sums.T).max()
    return float(largest / size) if (size := scale(x, w)) else e


def transform_length(n):
    """The power of two that holds so many points."""
    return 1 << (n - 1).bit_length()


def traffic(x, w):
    """Bytes read and written at least, and of them those of the result."""
    n, height, width = results(x, w)
    result = x.itemsize * n * height * width * w.shape[0]
    return x.nbytes + w.nbytes + result, result


def results(x, w):
    """(N, H', W')."""
    grow = 2 * padding(w) - w.shape[1] + 1
    return x.shape[0], x.shape[1] + grow, x.shape[2] + grow


def cost(storage):
    """Every product and its addition; beside the result it needs ``storage(x, w)`` bytes."""

    def of(x, w):
        moved, result = traffic(x, w)
        return Cost(2.0 * products(x, w), moved, result + storage(x, w))

    return of


def products(x, w):
    """Products of a tap and a pixel inside the image."""
    p, k = padding(w), w.shape[1]
    n, *grid = results(x, w)
    taps = [
        sum(max(0, min(places, length + p - i) - max(0, p - i)) for i in range(k))
        for places, length in zip(grid, x.shape[1:3], strict=True)
    ]
    return n * math.prod(taps) * x.shape[3] * w.shape[0]


def nothing(x, w):
    return 0


def unfolded(x, w):
    """The windows, once as they are stacked and once as they are multiplied, and the padded image."""
    return 2 * x.itemsize * math.prod(results(x, w)) * w[0].size + around(x, w)


def shifted(x, w):
    """The padded image, one shifted copy of it, a product and the sum so far."""
    return 2 * around(x, w) + 2 * traffic(x, w)[1]


def around(x, w):
    """The image with its padding."""
    p = 2 * padding(w)
    return x.itemsize * x.shape[0] * (x.shape[1] + p) * (x.shape[2] + p) * x.shape[3]


def packed(x, w):
    """The padded image, and the filters in panels with room for the zeros at the end."""
    return around(x, w) + w.nbytes // w.shape[0] * (w.shape[0] + 16)


def winograd_cost(copies):
    """Sixteen products for four results; additions of the transforms in both directions; four numbers a filter more."""

    def of(x, w):
        moved, result = traffic(x, w)
        tiles = x.shape[0] * -(-x.shape[1] // 2) * -(-x.shape[2] // 2)
        channels, out = x.shape[3], w.shape[0]
        flops = 2.0 * 16 * tiles * channels * out + 32 * tiles * channels + 24 * tiles * out + 42 * channels * out
        between = x.itemsize * 16 * (tiles * (channels + out) + channels * out)
        return Cost(flops, moved, result + copies * between)

    return of


def fft_cost(x, w):
    """$2.5 M \\log_2 M$ for a real transform of M points; 8 operations for a complex product and its addition."""
    moved, result = traffic(x, w)
    (n, _, _, channels), out = x.shape, w.shape[0]
    M = math.prod(transform_length(x.shape[axis] + 2 * padding(w)) for axis in (1, 2))
    transforms = n * channels + channels * out + n * out
    flops = 2.5 * M * math.log2(max(M, 2)) * transforms + 8 * (M // 2 + 1) * n * channels * out
    return Cost(flops, moved, result + 3 * x.itemsize * 2 * M * transforms)
