"""Lloyd's iteration on points that no single machine holds: a block of points is summed up where it lies."""

from __future__ import annotations

import numpy as np

from exp_core.cluster import in_blocks

BLOCKS = 8


def into_blocks(X, C0, iterations):
    """The points as a dask.array of blocks of rows."""
    return in_blocks(X, -(-len(X) // BLOCKS)), C0, iterations


def lloyd_dask(X, C0, iterations):
    """Send the centres to the blocks, and only sums and counts of points back: k (d + 1) numbers a block."""
    import dask

    blocks = [block for row in X.to_delayed() for block in row]
    summed, labelled = dask.delayed(sums_and_counts), dask.delayed(nearest_centres)
    C = C0
    for _ in range(iterations):
        parts = dask.compute(*(summed(block, C) for block in blocks))
        S, N = (sum(part) for part in zip(*parts, strict=True))
        C = np.where(N[:, None] > 0, S / np.maximum(N, 1)[:, None], C).astype(C0.dtype)
    return C, dask.delayed(np.concatenate)([labelled(block, C) for block in blocks])


def nearest_centres(x, C):
    """Labels of a block of points, from $\\|c\\|^2 / 2 - x \\cdot c$ about the middle of the centres."""
    origin = C.mean(axis=0, dtype=np.float64).astype(C.dtype)
    c = C - origin
    return ((c * c).sum(axis=1) / 2 - (x - origin) @ c.T).argmin(axis=1)


def sums_and_counts(x, C):
    """Of the points of a block that belong to each centre: shapes (k, d) and (k,)."""
    labels, k = nearest_centres(x, C), len(C)
    return np.stack([np.bincount(labels, column, k) for column in x.T], axis=1), np.bincount(labels, minlength=k)
