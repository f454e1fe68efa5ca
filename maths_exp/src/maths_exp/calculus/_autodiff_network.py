"""The loss of a small network by its weights: the function that reverse mode is famous for, as one more of the family.

Source: D. Rumelhart, G. Hinton, R. Williams, Learning representations by back-propagating errors, Nature 323 (1986),
533-536.
"""

from __future__ import annotations

import numpy as np

from maths_exp.calculus._autodiff_functions import Function, Operations


def network_loops(xp, w, X, y):
    """$\\frac1m \\sum_i \\log(1 + e^{-y_i z_i})$, $z_i = c + v^T \\tanh(W^T x_i + b)$; w holds W, b, v and c."""
    d, total = len(X[0]), 0.0
    h = (len(w) - 1) // (d + 2)
    b, v = w[d * h : d * h + h], w[d * h + h : -1]
    for sample, sign in zip(X, y, strict=True):
        z = w[-1]
        for j in range(h):
            a = b[j]
            for i in range(d):
                a = a + sample[i] * w[i * h + j]
            z = z + v[j] * xp.tanh(a)
        total = total + xp.log(1.0 + xp.exp(-sign * z))
    return total / len(X)


def network_arrays(xp, w, X, y):
    """The same: two products of matrices."""
    m, d = X.shape
    h = (w.shape[0] - 1) // (d + 2)
    W, b = xp.reshape(w[: d * h], (d, h)), w[d * h : d * h + h]
    v, c = xp.reshape(w[d * h + h : d * h + 2 * h], (h, 1)), w[d * h + 2 * h :]
    z = xp.reshape(xp.matmul(xp.tanh(xp.matmul(X, W) + b), v), (-1,)) + c
    return xp.sum(xp.log(1.0 + xp.exp(-(z * y)))) / m


def network_gradient(w, X, y):
    """Backpropagation."""
    m, d = X.shape
    h = (len(w) - 1) // (d + 2)
    W, b, v, c = w[: d * h].reshape(d, h), w[d * h : d * h + h], w[d * h + h : -1], w[-1]
    a = np.tanh(X @ W + b)  # (m, h)
    e = np.exp(-y * (a @ v + c))
    dz = -y * e / (1 + e) / m  # (m,)
    da = dz[:, None] * v * (1 - a * a)  # (m, h)
    return np.concatenate([(X.T @ da).reshape(-1), da.sum(axis=0), a.T @ dz, [dz.sum()]])


def network_operations(w, X, y):
    """Of each sample: d h products of the first layer and h of the second; the rest is one a sample."""
    m, d = X.shape
    h = (len(w) - 1) // (d + 2)
    return Operations(m * (d * h + h + 2), m * h, m * (d * h + 2), 1, m * (h + 2))


network = Function(network_loops, network_arrays, network_gradient, network_operations)
