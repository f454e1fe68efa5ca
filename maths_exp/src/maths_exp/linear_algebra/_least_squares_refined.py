"""Refinement of x and the residual at once: what QR loses comes back, as long as it has kept one digit.

The solution and its residual solve one square system, [I A; A^T 0] [r; x] = [b; 0] (Bjorck 1967).  With x and r held as
two numbers each, its residual is computed as if with 106 bits; the correction comes from the QR factors that are there
already, and each step gains as many digits as QR had right.

Source    A. Bjorck, Iterative refinement of linear least squares solutions I, BIT 7 (1967), 257-278.
          J. Demmel et al., Extra-precise iterative refinement for overdetermined least squares problems (2009).
          T. Ogita, S. Rump, S. Oishi, Accurate sum and dot product, SIAM J. Sci. Comput. 26 (2005), 1955-1988.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import njit, prange

STEPS = 20  # at most; each gains a digit at least where QR had one
ROWS = 1024  # rows of a block: its parts of A^T r are added in their order, whatever the threads
SPLITTER = 2.0**27 + 1


@njit
def two_sum(a, b):
    """a + b rounded, and what the rounding took (Knuth, TAOCP vol. 2, 4.2.2)."""
    s = a + b
    z = s - a
    return s, (a - (s - z)) + (b - z)


@njit
def two_product(a, b):
    """ab rounded, and what the rounding took (Dekker 1971): without a fused multiply-add, which not every chip has."""
    p = a * b
    c, d = SPLITTER * a, SPLITTER * b
    a_high, b_high = c - (c - a), d - (d - b)
    a_low, b_low = a - a_high, b - b_high
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


@njit
def minus_product(s, t, a, a_low, x, x_low):
    """s + t - (a + a_low)(x + x_low), where s holds the leading digits and t all that falls off."""
    p, lost = two_product(a, x)
    s, rest = two_sum(s, -p)
    return s, t + (rest - lost - (a * x_low + a_low * x))


@njit(parallel=True)
def residuals(A, A_low, b, b_low, x, x_low, r, r_low):
    """f = b - r - A x and g = -A^T r, as if with twice the digits, rounded once at the end."""
    m, n = A.shape
    blocks = (m + ROWS - 1) // ROWS
    f = np.empty(m)
    high, low = np.zeros((blocks, n)), np.zeros((blocks, n))
    for c in prange(blocks):
        for i in range(c * ROWS, min(m, (c + 1) * ROWS)):
            s, t = two_sum(b[i], -r[i])
            t += b_low[i] - r_low[i]
            for j in range(n):
                s, t = minus_product(s, t, A[i, j], A_low[i, j], x[j], x_low[j])
                high[c, j], low[c, j] = minus_product(high[c, j], low[c, j], A[i, j], A_low[i, j], r[i], r_low[i])
            f[i] = s + t
    g = np.empty(n)
    for j in range(n):
        s = t = 0.0
        for c in range(blocks):
            s, rest = two_sum(s, high[c, j])
            t += rest + low[c, j]
        g[j] = s + t
    return f, g


def refined(A, b, A_low, b_low):
    """QR once, then corrections of x and r from residuals with twice the digits, until nothing changes any more."""
    from scipy.linalg import solve_triangular

    dtype = A.dtype
    A, b, A_low, b_low = (np.ascontiguousarray(y, np.float64) for y in (A, b, A_low, b_low))
    Q, R = np.linalg.qr(A)
    x, x_low, r, r_low = np.zeros(A.shape[1]), np.zeros(A.shape[1]), np.zeros_like(b), np.zeros_like(b)
    weights, before = np.linalg.norm(R, axis=0), np.inf  # columns in their own units: ||A_j|| |x_j|
    for _ in range(STEPS):
        f, g = residuals(A, A_low, b, b_low, x, x_low, r, r_low)
        h = solve_triangular(R, g, trans="T", check_finite=False)
        d = Q.T @ f
        dr, dx = f - Q @ (d - h), solve_triangular(R, d - h, check_finite=False)
        size = np.linalg.norm(weights * dx)
        if not size < before:  # as near as twice the digits allow, or not a number, or QR had no digit to begin with
            break
        (x, x_low), (r, r_low) = plus(x, x_low, dx), plus(r, r_low, dr)
        before = size / 2
    return (x + x_low).astype(dtype)


def plus(high, low, y):
    """high + low + y, as two numbers again."""
    s, rest = two_sum.py_func(high, y)
    rest = rest + low
    return s + rest, rest - ((s + rest) - s)
