"""What the iteration does: a photograph in a few colours, or the centres' paths among the points."""

from __future__ import annotations

import numpy as np

from maths_exp.algorithms._kmeans_dask import nearest_centres, sums_and_counts
from maths_exp.algorithms._kmeans_problems import image_shape

SHOWN = 4000  # points drawn


def picture(figure, X, C0, iterations):
    """The photograph beside its quantised copy and the palette; of other points the two widest directions."""
    shape = image_shape(X)
    path = trajectory(X, C0, iterations)
    if shape is None:
        scatter(figure, X, path)
    else:
        quantised(figure, X.reshape(*shape, 3), path[-1], nearest_centres(X, path[-1]))


def trajectory(X, C0, iterations):
    """The centres before each iteration and after the last one: shape (iterations + 1, k, d)."""
    path = [C0]
    for _ in range(iterations):
        S, N = sums_and_counts(X, path[-1])
        path.append(np.where(N[:, None] > 0, S / np.maximum(N, 1)[:, None], path[-1]).astype(C0.dtype))
    return np.array(path)


def quantised(figure, image, palette, labels):
    """Two photographs, and below them each colour as wide as it is frequent."""
    axes = figure.subplot_mosaic([["before", "after"], ["palette", "palette"]], height_ratios=[5, 1])
    axes["before"].imshow(image)
    axes["before"].set_title(f"{labels.size:,} pixels")
    axes["after"].imshow(palette[labels].reshape(image.shape))
    axes["after"].set_title(f"{len(palette)} colours")
    order = np.argsort(palette @ (0.2126, 0.7152, 0.0722))  # by luminance: ITU-R BT.709
    share = np.bincount(labels, minlength=len(palette))[order] / labels.size
    axes["palette"].barh(0, share, left=np.cumsum(share) - share, color=palette[order].clip(0, 1), height=1)
    axes["palette"].set(xlim=(0, 1), ylim=(-0.5, 0.5), title="the palette: as wide as a colour is frequent")
    for each in axes.values():
        each.set_axis_off()


def scatter(figure, X, path):
    """Points in the colour of their cluster, and how the centres went there from their seeds."""
    m = X.mean(axis=0, dtype=np.float64)
    some = X[:: -(-len(X) // SHOWN)]
    axes2 = np.linalg.svd(some - m, full_matrices=False)[2][:2].T  # the two widest directions: (d, 2)
    plane = np.pad(axes2, ((0, 0), (0, 2 - axes2.shape[1])))  # of points on a line only one
    points, centres = (some - m) @ plane, (path - m) @ plane
    axes = figure.subplots()
    axes.scatter(*points.T, c=nearest_centres(some, path[-1]), cmap="tab20", s=5, alpha=0.5, linewidths=0)
    for way in centres.swapaxes(0, 1):  # (iterations + 1, 2) for each centre
        axes.plot(*way.T, color="black", linewidth=1)
    axes.plot(*centres[0].T, "o", markersize=4, color="white", markeredgecolor="black", label="seeds (k-means++)")
    axes.plot(*centres[-1].T, "X", markersize=8, color="black", markeredgecolor="white", label="final centres")
    axes.set(title=f"{len(path) - 1} iterations", xlabel="widest direction", ylabel="second widest")
    axes.set_aspect("equal", "datalim")
    axes.legend(fontsize="small", loc="upper right")
