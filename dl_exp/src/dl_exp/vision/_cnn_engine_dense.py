"""Dense layers of a part of the batch, and the loss."""

from __future__ import annotations

import numpy as np

from dl_exp.products import add_dots, add_product
from exp_core.compiled import REORDER, njit
from exp_core.vector import exp, log, tanh


@njit
def tanh_all(a):
    """In place."""
    for i in range(a.shape[0]):
        row = a[i]
        for j in range(row.size):
            row[j] = tanh(row[j])


@njit
def dense(x, W, b, z):
    """$z = xW + b$."""
    for i in range(x.shape[0]):
        z[i] = b
    add_product(x, W, z)


@njit(fastmath=REORDER)
def dense_back(x, W, d, gW, gb, dx):
    """The derivatives by weights, biases and x are added up."""
    add_product(x.T, d, gW)
    for i in range(d.shape[0]):
        for j in range(gb.size):
            gb[j] += d[i, j]
    add_dots(d, W, dx)


@njit
def cross_entropy(z, labels, batch):
    """The scores become $(p - y)/B$ in place; returns the sum of the losses over B."""
    share, loss = np.float32(1) / np.float32(batch), np.float32(0)
    for i in range(z.shape[0]):
        row = z[i]
        largest, total = row.max(), np.float32(0)
        chosen = row[labels[i]] - largest
        for k in range(row.size):
            row[k] = exp(row[k] - largest)
            total += row[k]
        loss += share * (log(total) - chosen)
        for k in range(row.size):
            row[k] *= share / total
        row[labels[i]] -= share
    return loss
