"""The picture of convolution: what filters see, and what larger tiles of Winograd's lose."""

from __future__ import annotations

import numpy as np

from dl_exp.vision import _convolution_laws as laws
from dl_exp.vision._convolution_winograd import winograd, winograd_bound

TILES = (2, 4, 6)
FILTERS = {
    "upright edges": ((1, 0, -1), (2, 0, -2), (1, 0, -1)),
    "level edges": ((1, 2, 1), (0, 0, 0), (-1, -2, -1)),
    "smooth": ((1, 2, 1), (2, 4, 2), (1, 2, 1)),
}


def picture(figure, x, w):
    """A disc under three filters of a textbook; and the error of F(m×m, 3×3) against m."""
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.25))
    draw_filters(above)
    draw_errors(below.subplots(), x, w)


def draw_filters(figure):
    """The image and what each filter makes of it."""
    i, j = np.mgrid[:48, :48]
    image = ((i - 24) ** 2 + (j - 24) ** 2 < 15**2).astype(np.float32)
    figure.suptitle("A filter answers where it finds itself")
    axes = figure.subplots(1, 1 + len(FILTERS))
    axes[0].imshow(image, cmap="gray")
    axes[0].set_title("image", fontsize="small")
    for axis, (name, taps) in zip(axes[1:], FILTERS.items(), strict=True):
        w = np.array(taps, np.float32)[None, :, :, None]
        answer = laws.exact(image[None, :, :, None], w)[0, :, :, 0]
        size = np.abs(answer).max()
        axis.imshow(answer, cmap="RdBu_r", vmin=-size, vmax=size)
        axis.set_title(name, fontsize="small")
    for axis in axes:
        axis.set_axis_off()


def draw_errors(axes, x, w):
    """On the input itself if its filters are 3 by 3, on the same image with random ones else."""
    import mlx.core as mx

    x, g = x[:1, :32, :32], w[:8]
    if w.shape[1] != 3:
        g = np.random.default_rng(0).standard_normal((8, 3, 3, x.shape[3]), np.float32)
    truth = laws.exact(x, g)
    with mx.stream(mx.cpu):
        results = [np.array(winograd(mx.array(x), mx.array(g), m)) for m in TILES]
    errors = [max(laws.normwise_error(y, x, g, truth), 1e-10) for y in results]
    multiplications = [(m + 2) ** 2 / m**2 for m in TILES]
    axes.semilogy(TILES, [winograd_bound(x, g, m) for m in TILES], "k--", label="bound")
    axes.semilogy(TILES, errors, "o-", label="error")
    axes.axhline(laws.sum_bound(x, g), color="gray", linestyle=":", label="bound of the plain sum")
    for m, error, count in zip(TILES, errors, multiplications, strict=True):
        axes.annotate(
            f"{count:.3g} multiplications\na result", (m, error), (0, 8), textcoords="offset points", ha="center"
        )
    axes.set(xlabel="m, of F(m×m, 3×3)", ylabel="error / (max|x| sum|w|)", xticks=TILES, xlim=(1.3, 6.7))
    axes.set_title("Winograd: larger tiles multiply less and lose more")
    axes.legend(fontsize="small")
