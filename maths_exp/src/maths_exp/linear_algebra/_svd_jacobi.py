"""One-sided Jacobi in rounds: in each, all columns are in one pair, and no pair waits for another.

A tournament of n players has n - 1 rounds of n/2 games: everybody moves on by one place, but for the first (Brent, Luk
1985).  Compiled, it starts from the triangle of a QR factorisation with pivoting: of its transpose the columns are
nearly orthogonal already, and what is small in A = BD stays small (Drmac and Veselic 2008).

Source    R. P. Brent, F. T. Luk, The solution of singular-value and symmetric eigenvalue problems on multiprocessor
          arrays, SIAM J. Sci. Stat. Comput. 6 (1985), 69-84.
          Z. Drmac, K. Veselic, New fast and accurate Jacobi SVD algorithm I, SIMAX 29 (2008), 1322-1342.
"""

from __future__ import annotations

import math

import numpy as np

from exp_core.compiled import REORDER, njit, prange
from maths_exp.linear_algebra._svd_laws import SWEEPS, leading


def rounds(n):
    """Pairs (i, j) of each round: shape (n - 1, n / 2, 2) for even n; an odd one has a player more, who is left out."""
    players = np.arange(n + n % 2)
    table = []
    for _ in range(max(len(players) - 1, 0)):
        half = len(players) // 2
        pairs = np.stack([players[:half], players[half:][::-1]], axis=1)
        table.append(np.sort(pairs, axis=1))
        players = np.concatenate([players[:1], players[-1:], players[1:-1]])
    table = np.array(table, np.int64).reshape(len(table), -1, 2)
    return table[table[:, :, 1] < n].reshape(len(table), -1, 2)


def jacobi_rounds(A, k):
    """All pairs of a round at once, as in a tournament: n - 1 array expressions a sweep instead of n(n - 1)/2 turns."""
    if A.shape[0] < A.shape[1]:
        U, s, Vt = jacobi_rounds(A.T, k)
        return Vt.T, s, U.T
    n = A.shape[1]
    W, V = np.array(A.T, order="C"), np.eye(n, dtype=A.dtype)  # rows are columns here: contiguous
    close = A.shape[0] ** 0.5 * np.finfo(A.dtype).eps
    turned, sweeps = True, 0
    while turned and sweeps < SWEEPS:
        turned, sweeps = False, sweeps + 1
        for i, j in rounds(n).swapaxes(1, 2):
            x, y = W[i], W[j]
            a, b, p = ((u * v).sum(axis=1) for u, v in ((x, x), (y, y), (x, y)))
            busy = np.abs(p) > close * np.sqrt(a) * np.sqrt(b)
            if not busy.any():
                continue
            turned = True
            i, j, a, b, p = i[busy], j[busy], a[busy], b[busy], p[busy]
            zeta = (b - a) / (2 * p)
            t = np.copysign(1, zeta) / (np.abs(zeta) + np.hypot(1, zeta))
            c = 1 / np.sqrt(1 + t * t)
            c, t = c[:, None], t[:, None]
            for X in (W, V):
                X[i], X[j] = c * (X[i] - t * X[j]), c * (t * X[i] + X[j])
    return leading(W.T, V.T, k)


@njit(fastmath=REORDER)
def turn_pair(x, y, n, close):
    """Make the first n entries of x and y orthogonal, and turn what follows along: 1 if there was something to do."""
    a = b = p = 0.0
    for r in range(n):
        x_r, y_r = np.float64(x[r]), np.float64(y[r])
        a += x_r * x_r
        b += y_r * y_r
        p += x_r * y_r
    if not abs(p) > close * math.sqrt(a) * math.sqrt(b):
        return 0
    zeta = (b - a) / (2 * p)
    t = math.copysign(1.0, zeta) / (abs(zeta) + math.hypot(1.0, zeta))
    c = 1 / math.sqrt(1 + t * t)
    cosine, sine = x.dtype.type(c), x.dtype.type(c * t)
    for r in range(x.size):
        x_r, y_r = x[r], y[r]
        x[r] = cosine * x_r - sine * y_r
        y[r] = sine * x_r + cosine * y_r
    return 1


@njit(parallel=True)
def sweep_until_orthogonal(WV, n, table, close, sweeps):
    """Each row of WV is a column of W and then one of V; threads share the pairs of a round."""
    turned = np.ones(table.shape[1], np.int64)
    while turned.sum() and sweeps:
        turned[:] = 0
        sweeps -= 1
        for r in range(table.shape[0]):
            for g in prange(table.shape[1]):
                turned[g] += turn_pair(WV[table[r, g, 0]], WV[table[r, g, 1]], n, close)


def jacobi_compiled(A, k):
    """Rounds in threads, on the transposed triangle of a pivoted QR: half of the sweeps, and no tall columns."""
    from scipy.linalg import qr

    if A.shape[0] < A.shape[1]:
        U, s, Vt = jacobi_compiled(A.T, k)
        return Vt.T, s, U.T
    n = A.shape[1]
    Q, R, order = qr(A, mode="economic", pivoting=True, check_finite=False)
    WV = np.hstack([R, np.eye(n, dtype=A.dtype)])  # a row of R is a column of R^T
    sweep_until_orthogonal(WV, n, rounds(n), n**0.5 * float(np.finfo(A.dtype).eps), SWEEPS)
    right, s, left = leading(np.ascontiguousarray(WV[:, :n].T), WV[:, n:].T, k)  # R^T = right s left
    V = np.empty_like(right)
    V[order] = right
    return Q @ left.T, s, V.T
