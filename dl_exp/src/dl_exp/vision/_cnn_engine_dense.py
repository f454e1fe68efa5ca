"""Dense layers of a part of the batch."""

from __future__ import annotations

from dl_exp.engine.product import product
from exp_core.compiled import REORDER, njit
from exp_core.vector import tanh


@njit
def tanh_all(a):
    """In place."""
    for i in range(a.shape[0]):
        row = a[i]
        for j in range(row.size):
            row[j] = tanh(row[j])


@njit
def dense(x, W, b, z, panel):
    """$z = xW + b$."""
    for i in range(x.shape[0]):
        z[i] = b
    product(x, W, z, True, panel)


@njit(fastmath=REORDER)
def dense_back(x, W, d, gW, gb, dx, panel):
    """The derivatives by weights and biases are added up; that by x is written."""
    product(x.T, d, gW, True, panel)
    for i in range(d.shape[0]):
        for j in range(gb.size):
            gb[j] += d[i, j]
    product(d, W.T, dx, False, panel)
