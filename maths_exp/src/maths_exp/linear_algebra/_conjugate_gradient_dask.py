"""Conjugate gradients where no single machine holds A: its rows stay where they are, and only edges of p travel."""

from __future__ import annotations

import numpy as np

from maths_exp.linear_algebra._conjugate_gradient_compiled import LIMIT

BLOCKS = 4


def into_row_blocks(data, indices, indptr, b, tolerance):
    """Blocks of rows, each a sparse array over just the columns that it needs; kept by the workers if there are any."""
    import dask
    from scipy.sparse import csr_array

    blocks, windows = [], []
    for c in range(min(BLOCKS, b.size)):
        first, last = (b.size * end // min(BLOCKS, b.size) for end in (c, c + 1))
        entries = slice(indptr[first], indptr[last])
        low, high = int(indices[entries].min()), int(indices[entries].max()) + 1
        rows = (data[entries], indices[entries] - low, indptr[first : last + 1] - indptr[first])
        blocks.append(dask.delayed(csr_array(rows, shape=(last - first, high - low))))
        windows.append(slice(low, high))
    return dask.persist(*blocks), windows, b, tolerance


def times(block, p):
    """A block's part of A p."""
    return block @ p


def cg_dask(blocks, windows, b, tolerance):
    """The product in blocks of rows, on threads here or on a cluster: a step sends n numbers out and n back."""
    import dask

    product = dask.delayed(times)
    x, r, p = np.zeros_like(b), b.copy(), b.copy()
    rr, k = r @ r, 0
    enough = tolerance * tolerance * (b @ b)
    while rr > enough and k < LIMIT * b.size:
        parts = (product(block, p[window]) for block, window in zip(blocks, windows, strict=True))
        Ap = np.concatenate(dask.compute(*parts))
        alpha = rr / (p @ Ap)
        x += alpha * p
        r -= alpha * Ap
        rr, before = r @ r, rr
        p = r + (rr / before) * p
        k += 1
    return x, k
