"""Layer normalisation of rows, without a bias.

Forwards $y = g \\hat x$, $\\hat x = (x - \\bar x)\\,r$, $r = 1/\\sqrt{\\sigma^2 + \\epsilon}$.  Backwards, with
$q = g\\,dy$ and means over the row: $dx = r (q - \\overline q - \\hat x\\,\\overline{q \\hat x})$, and
$dg = \\sum dy\\,\\hat x$ over the rows.
Source: J. Ba, J. Kiros, G. Hinton, Layer Normalization, arXiv:1607.06450 (2016).
"""

from __future__ import annotations

import math

from exp_core.compiled import REORDER, njit

EPSILON = 1e-5  # PyTorch's and GPT-2's


@njit(fastmath=REORDER)
def layernorm(x, g, xhat, r, y):
    """From x: (n, c) and g: (c,) fill xhat, y: (n, c) and r: (n,)."""
    n, c = x.shape
    one, zero = g.dtype.type(1), g.dtype.type(0)
    per, epsilon = one / g.dtype.type(c), g.dtype.type(EPSILON)
    for i in range(n):
        total = zero
        for j in range(c):
            total += x[i, j]
        mean = total * per
        squares = zero
        for j in range(c):
            d = x[i, j] - mean
            squares += d * d
        r_i = one / math.sqrt(squares * per + epsilon)
        r[i] = r_i
        for j in range(c):
            h = (x[i, j] - mean) * r_i
            xhat[i, j] = h
            y[i, j] = h * g[j]


@njit(fastmath=REORDER)
def layernorm_again(xhat, g, y):
    """y once more: it is not kept."""
    for i in range(xhat.shape[0]):
        for j in range(xhat.shape[1]):
            y[i, j] = xhat[i, j] * g[j]


@njit(fastmath=REORDER)
def layernorm_backwards(dy, xhat, r, g, dx, dg):
    """Add to dx: (n, c) and to dg: (c,)."""
    n, c = dy.shape
    zero, per = g.dtype.type(0), g.dtype.type(1) / g.dtype.type(c)
    for i in range(n):
        q_total, qx_total = zero, zero
        for j in range(c):
            d = dy[i, j]
            dg[j] += d * xhat[i, j]
            q = d * g[j]
            q_total += q
            qx_total += q * xhat[i, j]
        q_mean, qx_mean, r_i = q_total * per, qx_total * per, r[i]
        for j in range(c):
            dx[i, j] += r_i * (dy[i, j] * g[j] - q_mean - xhat[i, j] * qx_mean)
