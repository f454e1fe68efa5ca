"""Golub and Kahan's SVD: reflections from both sides make A bidiagonal, then QR steps chase the upper diagonal away.

Source    G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed. (2013), algorithms 5.4.2, 8.6.1 and 8.6.2.
          J. Demmel, W. Kahan, Accurate singular values of bidiagonal matrices, SISSC 11 (1990): the shift of zero.
"""

from __future__ import annotations

import math

import numpy as np

from maths_exp.linear_algebra._qr_blocks import reflector
from maths_exp.linear_algebra._svd_laws import SWEEPS


def bidiagonal(A):
    """U, d, e, V with A = U B V^T: B has d on its diagonal and e above it; A is tall."""
    m, n = A.shape
    B = A.copy()
    U, V = np.eye(m, n, dtype=A.dtype), np.eye(n, dtype=A.dtype)
    left, right = [], []
    for j in range(n):
        v, tau, _ = reflector(B[j:, j])
        B[j:, j:] -= np.outer(tau * v, v @ B[j:, j:])
        left.append((v, tau))
        if j < n - 1:
            w, tau, _ = reflector(B[j, j + 1 :])
            B[j:, j + 1 :] -= np.outer(B[j:, j + 1 :] @ w, tau * w)
            right.append((w, tau))
    for j in reversed(range(n)):
        v, tau = left[j]
        U[j:, j:] -= np.outer(tau * v, v @ U[j:, j:])
        if j < n - 1:
            w, tau = right[j]
            V[j + 1 :, j + 1 :] -= np.outer(tau * w, w @ V[j + 1 :, j + 1 :])
    return U, np.diag(B).copy(), np.diag(B, 1).copy(), V


def rotation(f, g):
    """c, s, r with c f + s g = r and c g - s f = 0."""
    r = math.hypot(f, g)
    return (f / r, g / r, r) if r else (1.0, 0.0, 0.0)


def turn(Q, i, c, s):
    """Columns i and i + 1 of Q."""
    x, y = Q[:, i].copy(), Q[:, i + 1]
    Q[:, i] = c * x + s * y
    Q[:, i + 1] = c * y - s * x


def shift(d, e, low, high):
    """Wilkinson's: of the last two rows' B^T B the eigenvalue that is nearer to its last entry."""
    before = e[high - 2] if high - 2 >= low else 0.0
    a, b = d[high - 1] ** 2 + before**2, d[high - 1] * e[high - 1]
    c = d[high] ** 2 + e[high - 1] ** 2
    half = (a - c) / 2
    return c - b * b / (half + math.copysign(math.hypot(half, b), half)) if b else c


def qr_step(d, e, low, high, U, V, mu):
    """One implicit QR step on B^T B - mu I: the bulge is chased from the top of rows low...high to the bottom."""
    f, g = (d[low] - mu / d[low], e[low]) if mu else (d[low], e[low])
    for i in range(low, high):
        c, s, r = rotation(f, g)
        if i > low:
            e[i - 1] = r
        f, e[i] = c * d[i] + s * e[i], c * e[i] - s * d[i]
        g, d[i + 1] = s * d[i + 1], c * d[i + 1]
        turn(V, i, c, s)
        c, s, d[i] = rotation(f, g)
        f, d[i + 1] = c * e[i] + s * d[i + 1], c * d[i + 1] - s * e[i]
        if i < high - 1:
            g, e[i + 1] = s * e[i + 1], c * e[i + 1]
        turn(U, i, c, s)
    e[high - 1] = f


def golub_kahan(A, k):
    """Bidiagonal first, by 2n reflections; then what is above the diagonal dies out, cubically, in QR steps."""
    if A.shape[0] < A.shape[1]:
        U, s, Vt = golub_kahan(A.T, k)
        return Vt.T, s, U.T
    U, d, e, V = bidiagonal(A)
    d, e = d.astype(np.float64), e.astype(np.float64)  # scalars: their work is nothing beside the turns of U and V
    u = np.finfo(A.dtype).eps / 2
    small = u * max(np.max(np.abs(d)), np.max(np.abs(e), initial=0))
    high, steps = len(d) - 1, 0
    while high > 0 and steps < SWEEPS * len(d):
        e[np.abs(e) <= u * (np.abs(d[:-1]) + np.abs(d[1:]))] = 0
        if abs(e[high - 1]) <= u * small:
            e[high - 1] = 0
        if e[high - 1] == 0:
            high -= 1
            continue
        low = high - 1
        while low > 0 and e[low - 1] != 0:
            low -= 1
        singular = np.min(np.abs(d[low : high + 1])) <= small  # a shift of zero then takes off a zero at the bottom
        qr_step(d, e, low, high, U, V, 0.0 if singular else shift(d, e, low, high))
        steps += 1
    V = V * np.where(d < 0, -1, 1).astype(A.dtype)
    order = np.argsort(-np.abs(d), kind="stable")[:k]
    return U[:, order], np.abs(d)[order].astype(A.dtype), V[:, order].T
