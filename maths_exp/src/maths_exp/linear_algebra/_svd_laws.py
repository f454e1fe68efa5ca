"""What k singular triplets must obey, and how far rounding may take them.

tail is $(\\sum_{j > k} \\sigma_j^2)^{1/2}$, the least that any matrix of rank k leaves of A (Eckart, Young 1936).
Each law is measured over its own bound: right is at most 1.

error           $\\|A - U \\Sigma V^T\\|_F$ over $(1 + \\epsilon)$ tail + rho
orthogonality   $\\|U^T U - I\\|_F$ or $\\|V^T V - I\\|_F$ over what the transformations lose
values          If $U \\Sigma V^T = P A$ for a projection P, the $\\sigma_i^2 - s_i^2$ add up to error^2 - tail^2
                (Pythagoras), and by interlacing none is negative: each is at most
                $((1 + \\epsilon)^2 - 1)$ tail^2, and $2 \\sigma_1 \\rho + \\rho^2$ more for rounding (Weyl).

rho is $\\sqrt n$ times the rounding of a column (Higham 2002, theorem 19.4 and lemma 19.8) times $\\|A\\|_F$:
reflections from both sides, then rotations, at most SWEEPS times n stages of disjoint ones.
"""

from __future__ import annotations

import math

import numpy as np

from exp_core.tensor import gamma
from maths_exp.linear_algebra._qr_bounds import reflections, roundings

SWEEPS = 30  # of Jacobi's, or of QR steps a singular value: ten suffice as a rule


def singular_values(A, k, excess):
    """All of them, each to its own last digits wherever A = BD determines them so: LAPACK's Jacobi, in float64."""
    from scipy.linalg.lapack import dgejsv

    tall = np.asarray(A if A.shape[0] >= A.shape[1] else A.T, np.float64)
    sva, _, _, scale, _, info = dgejsv(tall, joba=0, jobu=3, jobv=3)
    return sva * (scale[0] / scale[1]) if info == 0 else np.full(tall.shape[1], np.nan)


def rounding(A):
    """The relative error that rounding makes, in the Frobenius norm."""
    m, n = max(A.shape), min(A.shape)
    return math.sqrt(n) * (2 * reflections(m, n, A) + gamma(roundings(9 * SWEEPS * n), A))


def error(result, A, k, excess, sigma):
    r"""$\|A - U \Sigma V^T\|$ over what it may be."""
    U, s, Vt = (np.asarray(x, np.float64) for x in result)
    left = np.linalg.norm(A - (U * s) @ Vt)
    return float(left / ((1 + excess) * tail(sigma, k) + rounding(A) * np.linalg.norm(sigma) or 1.0))


def tail(sigma, k):
    """The least error of rank k."""
    return float(np.linalg.norm(sigma[k:]))


def orthogonality(result, A, k, excess, sigma):
    r"""$\|Q^T Q - I\|$ of the worse side, over twice the error of a product of reflections and rotations."""
    U, _, Vt = (np.asarray(x, np.float64) for x in result)
    lost = max(np.linalg.norm(Q.T @ Q - np.eye(k)) for Q in (U, Vt.T))
    return float(lost / (2 * rounding(A)))


def values(result, A, k, excess, sigma):
    r"""The largest $|\hat\sigma_i^2 - \sigma_i^2|$ over what it may be; negative or unordered values are wrong."""
    s = np.asarray(result[1], np.float64)
    if not (np.all(s >= 0) and np.all(np.diff(s) <= 0)):
        return math.nan
    rho = rounding(A) * np.linalg.norm(sigma)
    allowed = ((1 + excess) ** 2 - 1) * tail(sigma, k) ** 2 + 2 * sigma[0] * rho + rho**2
    return float(np.max(np.abs(s - sigma[:k]) * (s + sigma[:k])) / (allowed or 1.0))


def digits(result, A, k, excess, sigma):
    """Right decimal digits of the least singular value that is asked for; as many as the dtype holds at the most."""
    s, exact = float(result[1][k - 1]), float(sigma[k - 1])
    u = float(np.finfo(A.dtype).eps) / 2
    off = abs(s - exact) / exact if exact else float(s != 0)
    return -math.log10(min(max(off, u), 1.0))


LAWS = {"error": error, "orthogonality": orthogonality, "values": values}


def leading(W, V, k):
    """U, s, V^T of the k longest columns of W = U S, with V's to match; where s is zero, U is completed."""
    s = lengths(W)
    order = np.argsort(-s, kind="stable")[:k]
    s, U = s[order], W[:, order]
    zero = s == 0
    U = U / np.where(zero, 1, s)
    if np.any(zero):
        rank = int(np.argmax(zero))
        U[:, rank:] = np.linalg.qr(U[:, :rank], mode="complete")[0][:, rank:k] if rank else np.eye(*U.shape)
    return U, s.astype(W.dtype), V[:, order].T


def lengths(W):
    """Of each column, without squares that vanish: divided by the largest entry first."""
    big = np.max(np.abs(W), axis=0)
    scaled = W / np.where(big == 0, 1, big)
    return big * np.sqrt(np.sum(scaled * scaled, axis=0))
