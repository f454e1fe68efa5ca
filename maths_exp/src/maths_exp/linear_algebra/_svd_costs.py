"""What each way to the SVD costs, counted on paper: m x n with m >= n, k triplets wanted."""

from __future__ import annotations

import math

from exp_core import Cost
from maths_exp.linear_algebra._svd_krylov import BLOCK, OVERSAMPLES, dimension


def sides(A):
    """The longer one first."""
    return max(A.shape), min(A.shape)


def cost(A, k, flops, memory):
    """A is read once at the least, and k triplets are written; working storage in numbers."""
    return Cost(flops, (A.size + k * (sum(A.shape) + 1)) * A.itemsize, memory * A.itemsize)


def sweeps(n):
    """Until all is orthogonal: of order log n (Brent, Luk 1985); counted on normal random matrices."""
    return 2.4 + 1.43 * math.log2(n) if n > 1 else 1


def jacobi(A, k, excess):
    """Three inner products a pair and sweep; where they are not orthogonal yet, 6 flops for two entries of W and V."""
    m, n = sides(A)
    pairs = sweeps(n) * n * (n - 1) / 2
    return cost(A, k, pairs * (6 * m + 0.75 * 6 * (m + n)) + 5 * m * n, 8 * m * n + 6 * n * n)


def preconditioned(A, k, excess):
    """QR with pivoting, half of the sweeps on a triangle's n columns, and Q times what comes out."""
    m, n = sides(A)
    turns = sweeps(n) / 2 * n * n / 2 * (6 * n + 0.75 * 12 * n)
    return cost(A, k, 4 * m * n * n - 4 * n**3 / 3 + turns + 2 * m * n * k, 2 * m * n + 8 * n * n)


def bidiagonal(A, k, excess):
    """Reflections of A, U and V; then 1.7 QR steps a value, of n/2 rotations of two columns of U and of V each."""
    m, n = sides(A)
    reflections = 4 * m * n * n - 4 * n**3 / 3 + 2 * m * n * n - 2 * n**3 / 3 + 4 * n**3 / 3
    return cost(A, k, reflections + 1.7 * n * n / 2 * 6 * (m + n), 5 * m * n + 6 * n * n)


def lapack(A, k, excess):
    """QR, then the SVD of the triangle: 6 m n^2 + 20 n^3 (Golub, Van Loan, figure 8.6.1)."""
    m, n = sides(A)
    return cost(A, k, 6 * m * n * n + 20 * n**3, 3 * m * n + 6 * n * n)


def on_a_space(A, k, width):
    """Of what A is on so many directions the SVD: a tall QR factorisation, a small SVD, and U and V from there."""
    m, n = sides(A)
    moved = k * (m + n + 1) * A.itemsize
    flops = 2 * m * width * width + 20 * width**3 + 2 * (m + n) * width * k
    return Cost(flops, moved, (4 * (m + n) * width + 4 * width * width) * A.itemsize)


def power(fewest):
    """2q + 2 products of A with k + 10 vectors, A read each time; after each an orthogonal basis but for the last."""

    def of(A, k, excess):
        q, width = fewest(A, k, excess)[2], k + OVERSAMPLES
        m, n = sides(A)
        products = Cost((2 * q + 2) * 2.0 * m * n * width, (2 * q + 2) * A.nbytes)
        return products + Cost((q + 1) * 2.0 * m * width**2 + q * 2.0 * n * width**2) + on_a_space(A, k, width)

    return of


def krylov(readings):
    """Two products of A with every direction, so many readings of A a block; each at right angles to all before."""

    def of_function(fewest):
        def of(A, k, excess):
            width = dimension(A, k, fewest(A, k, excess)[2])
            blocks = -(-width // BLOCK)
            products = Cost(4.0 * A.size * width, readings * blocks * A.nbytes)
            return products + Cost(2 * 2.0 * A.shape[1] * width * (width + BLOCK)) + on_a_space(A, k, width)

        return of

    return of_function
