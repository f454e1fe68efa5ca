"""Dense layers of a few images, one in each column."""

from __future__ import annotations

from dl_exp.engine.apart import apart
from dl_exp.engine.product import product
from exp_core.compiled import REORDER, njit
from exp_core.vector import tanh


@njit
def dense(x, W, b, z, panel):
    """$z = W^T x + b$."""
    apart()
    for o in range(b.size):
        for k in range(z.shape[1]):
            z[o, k] = b[o]
    product(W.T, x, z, True, panel)


@njit
def tanh_all(a):
    """In place."""
    apart()
    for i in range(a.shape[0]):
        row = a[i]
        for j in range(row.size):
            row[j] = tanh(row[j])


@njit(fastmath=REORDER)
def through_tanh(d, a):
    """From the derivative by a = tanh(z) to that by z, in place."""
    for i in range(d.shape[0]):
        for j in range(d.shape[1]):
            d[i, j] *= a.dtype.type(1) - a[i, j] * a[i, j]


@njit(fastmath=REORDER)
def dense_back(x, W, d, gW, gb, dx, panel):
    """The derivatives by weights and biases are added up; that by x is written."""
    apart()
    product(x, d.T, gW, True, panel)
    for o in range(gb.size):
        for v in d[o]:
            gb[o] += v
    product(W, d, dx, False, panel)
