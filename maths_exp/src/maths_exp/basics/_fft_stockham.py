"""Stockham's algorithm: the output of each pass is written where the next one, and at last the reader, wants it.

Before a pass y is seen as y[p + m j, q], shape (r m, s), with r m s = n: s transforms of length r m, side by side.  A
pass of radix r takes transforms of length r over j, multiplies by weights, and leaves r s transforms of length m:
    y'[p, k, q] = w_{rm}^{pk} sum_j w_r^{jk} y[p + m j, q],       seen next as shape (m, r s).
Source: C. Van Loan, Computational Frameworks for the Fast Fourier Transform (1992), sections 1.7 and 2.4.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import FUSE, njit


def stockham(x, w):
    """Unlike the iterative form, no bit reversal: each pass sorts as it goes, and is a few array operations."""
    batch, n = x.shape
    y, s = x, 1
    while s < n:
        m = n // (2 * s)
        y = y.reshape(batch, 2, m, s)
        a, b = y[:, 0], y[:, 1]
        y = np.stack([a + b, (a - b) * w[: n // 2 : s, None]], axis=2)  # (batch, m, 2, s)
        s *= 2
    return y.reshape(batch, n) if n > 1 else x.copy()


@njit(fastmath=FUSE)
def stockham_radix4(x, w):
    """Compiled, and four at a time: half the passes over memory, and multiplying by $w_4 = -i$ costs nothing."""
    batch, n = x.shape
    result = np.empty_like(x)
    y, z = np.empty(n, x.dtype), np.empty(n, x.dtype)
    for row in range(batch):
        y[:] = x[row]
        s = 1
        while 4 * s <= n:
            m = n // (4 * s)
            for p in range(m):
                w1, w2, w3 = w[p * s], w[2 * p * s], w[3 * p * s]
                for q in range(s):
                    i, j = p * s + q, 4 * p * s + q
                    a, b, c, d = y[i], y[i + m * s], y[i + 2 * m * s], y[i + 3 * m * s]
                    even, odd, bd = a + c, a - c, b - d
                    turned = complex(bd.imag, -bd.real)  # -i (b - d)
                    z[j] = even + (b + d)
                    z[j + s] = w1 * (odd + turned)
                    z[j + 2 * s] = w2 * (even - (b + d))
                    z[j + 3 * s] = w3 * (odd - turned)
            y, z = z, y
            s *= 4
        if s < n:  # one factor of 2 is left, and its weights are 1
            for q in range(s):
                result[row, q], result[row, q + s] = y[q] + y[q + s], y[q] - y[q + s]
        else:
            result[row] = y
    return result
