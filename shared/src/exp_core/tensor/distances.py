"""Squared Euclidean distances between two sets of points: accurate, or as a matrix product.

Float64, float32, float16 or bfloat16 (the same for both sets); halves are computed in float32 and rounded once.
"""

from __future__ import annotations

import numpy as np

from exp_core.tensor.convert import rounded, widened
from exp_core.tensor.namespaces import A, Array, namespace

BLOCK = 2**22  # entries of the largest array of differences


@np.errstate(all="ignore")
def squared_distances(x: A, y: A) -> A:
    """$D_{ij} = \\sum_k (x_{ik} - y_{jk})^2$, x (m, d), y (n, d), result (m, n).

    By the definition: relative error $\\gamma_{d+2}$, exactly 0 for equal points.  m n d subtractions, in blocks of
    rows, so that no more than 4 million differences (or n d) exist at a time.
    Raises ValueError if x and y are not matrices of as many columns.
    """
    _check(x, y)
    xp, a, b = namespace(x, y), widened(x, y), widened(y, x)
    if 0 in (*x.shape, *y.shape):
        return rounded(xp.zeros((x.shape[0], y.shape[0]), a.dtype), like=x)
    rows = max(1, BLOCK // y.size)
    blocks = [
        xp.sum(xp.square(a[i : i + rows, None, :] - b[None, :, :]), axis=-1)  # (rows, n, d) -> (rows, n)
        for i in range(0, x.shape[0], rows)
    ]
    return rounded(xp.concatenate(blocks, axis=0), like=x)


@np.errstate(all="ignore")
def squared_distances_expanded(x: A, y: A) -> A:
    """$D_{ij} = \\|x_i\\|^2 - 2 x_i \\cdot y_j + \\|y_j\\|^2$: one matrix product; negative results become 0.

    Cancels for near points: the absolute error is $\\gamma_{d+3} (\\|x_i\\| + \\|y_j\\|)^2$ whatever the distance.
    Subtract a common centre first, where there is one.  Shapes and errors as for ``squared_distances``.
    """
    _check(x, y)
    xp, a, b = namespace(x, y), widened(x, y), widened(y, x)
    if 0 in (*x.shape, *y.shape):
        return rounded(xp.zeros((x.shape[0], y.shape[0]), a.dtype), like=x)
    squares = xp.sum(a * a, axis=-1, keepdims=True) + xp.sum(b * b, axis=-1)[None, :]
    return rounded(xp.maximum(squares - 2 * (a @ b.T), 0.0), like=x)


def _check(x: Array, y: Array) -> None:
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(f"need two matrices with as many columns, not shapes {x.shape} and {y.shape}")
