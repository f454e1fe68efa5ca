"""Strassen's algorithm: seven products of halves instead of eight, and what that costs in accuracy.

Source: V. Strassen, Gaussian Elimination is not Optimal, Numer. Math. 13 (1969), 354-356.
        N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), section 23.2.2 (Brent's analysis).
"""

from __future__ import annotations

import numpy as np

from exp_core import Cost
from exp_core.tensor import gamma, unit_roundoff

LEAF = 64  # no side is halved that is not longer: small, to show the recursion; at n = 2048 even 512 was no gain


def strassen(a, b, leaf=LEAF):
    """Seven products of halves instead of eight, for eighteen sums: $n^{2.81}$ products, and small entries suffer."""
    levels = halvings(a, b, leaf)
    return _halved(_padded(a, 2**levels), _padded(b, 2**levels), levels)[: a.shape[0], : b.shape[1]]


def halvings(a, b, leaf=LEAF):
    """How deep the recursion goes: until the shortest side of the three is no longer than the leaf."""
    shortest, levels = min(*a.shape, b.shape[1]), 0
    while shortest > leaf * 2**levels:
        levels += 1
    return levels


def _padded(x, multiple):
    """x with rows and columns of zeros, up to a multiple of 2^levels: every half is then whole."""
    return np.pad(x, [(0, -side % multiple) for side in x.shape]) if any(side % multiple for side in x.shape) else x


def _halved(a, b, levels):
    if levels == 0:
        return a @ b
    a11, a12, a21, a22 = _quarters(a)
    b11, b12, b21, b22 = _quarters(b)
    p1 = _halved(a11 + a22, b11 + b22, levels - 1)
    p2 = _halved(a21 + a22, b11, levels - 1)
    p3 = _halved(a11, b12 - b22, levels - 1)
    p4 = _halved(a22, b21 - b11, levels - 1)
    p5 = _halved(a11 + a12, b22, levels - 1)
    p6 = _halved(a21 - a11, b11 + b12, levels - 1)
    p7 = _halved(a12 - a22, b21 + b22, levels - 1)
    c = np.empty((a.shape[0], b.shape[1]), a.dtype)
    c11, c12, c21, c22 = _quarters(c)
    c11[:] = p1 + p4 - p5 + p7
    c12[:] = p3 + p5
    c21[:] = p2 + p4
    c22[:] = p1 - p2 + p3 + p6
    return c


def _quarters(x):
    rows, columns = x.shape[0] // 2, x.shape[1] // 2
    return x[:rows, :columns], x[:rows, columns:], x[rows:, :columns], x[rows:, columns:]


def strassen_bound(a, b, leaf=LEAF):
    r"""$\max|\hat C - C| \le f u \max|A| \max|B|$: normwise, and no componentwise bound exists (Miller 1975).

    One level, with $h = k/2$ and $\max|A| = \max|B| = 1$, to first order: the factors of the products in
    $C_{11} = P_1 + P_4 - P_5 + P_7$ are no larger than 2 and 2, 1 and 2, 2 and 1, 2 and 2.  The products inherit
    $(4 + 2 + 2 + 4) f(h)$; the roundings of the factors add $(8 + 2 + 2 + 8) h$; three additions, of products no larger
    than $4h, 2h, 2h, 4h$, another $(12 + 6 + 4 + 4) h$.  Together $f(k) = 12 f(h) + 23 k$, and the other quarters have
    no more terms.  Higham (2002), theorem 23.2, has 25 for 23, and so have we; $1 + 8u$ covers the second order.
    """
    levels = halvings(a, b, leaf)
    u = unit_roundoff(a)
    k = -(-a.shape[1] // 2**levels)
    f = k * gamma(k, a) / u  # the leaf: the ordinary bound, for at most k products no larger than 1
    for _ in range(levels):
        k *= 2
        f = 12 * (1 + 8 * u) * f + 25 * k
    return f * u


def strassen_cost(a, b, leaf=LEAF):
    """Five sums of quarters of A, five of B, eight of C at each level; the leaves are ordinary products."""
    levels = halvings(a, b, leaf)
    m, k, n = (-(-side // 2**levels) for side in (*a.shape, b.shape[1]))
    flops = 2.0 * m * k * n
    for _ in range(levels):
        flops = 7 * flops + 5 * m * k + 5 * k * n + 8 * m * n
        m, k, n = 2 * m, 2 * k, 2 * n
    moved = a.nbytes + b.nbytes + a.itemsize * a.shape[0] * b.shape[1]
    # seven products and two sums of a quarter each, at all levels a third more; the padded copies; the result
    memory = a.itemsize * ((7 * m * n + m * k + k * n) / 3 + 2 * m * n + m * k + k * n)
    return Cost(flops=flops, bytes=moved, memory=memory)
