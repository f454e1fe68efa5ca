"""What each fit costs, counted on paper: m equations, n unknowns."""

from __future__ import annotations

from exp_core import Cost

STEPS = 4  # of refinement, as a rule: kappa u from 1e-8 to 1e-16 in two or three, and one that finds nothing to do
TWICE = 17 + 6 + 6  # flops of a product and a sum with all that they lose, low parts included


def cost(A, flops, moved=1.0, memory=1.0):
    """A is read so many times, and needs so many copies of itself as working storage."""
    m, n = A.shape
    return Cost(flops, (moved * m * n + m + n) * A.itemsize, (memory * m * n + 4 * n * n + 6 * (m + n)) * A.itemsize)


def normal(A, b, *low):
    """Half of A^T A, and Cholesky."""
    m, n = A.shape
    return cost(A, m * n * (n + 1) + 2 * m * n + n**3 / 3 + 2 * n * n, memory=0)


def reflections(A, b, *low):
    """Each reflector on itself, on the columns to its right and on b."""
    m, n = A.shape
    return cost(A, sum((m - k) * (4 * (n - k) + 8) for k in range(n)) + n * n, memory=1)


def rotations(A, b, *low):
    """Six flops for two entries, for every entry of A."""
    m, n = A.shape
    return cost(A, m * sum(6 * (n - j) + 12 for j in range(n)), memory=1)


def thin(A, b, *low):
    """R and Q by reflections, Q^T b."""
    m, n = A.shape
    return cost(A, 4 * m * n * n - 4 * n**3 / 3 + 2 * m * n + n * n, moved=2, memory=3)


def singular(A, b, *low):
    """QR, and the SVD of R: 6 m n^2 + 20 n^3 (Golub, Van Loan, figure 8.6.1)."""
    m, n = A.shape
    return cost(A, 6 * m * n * n + 20 * n**3, moved=2, memory=3)


def refined(A, b, *low):
    """QR once; a step reads A, what its rounding took, and Q twice, with two dots of twice the digits an entry."""
    m, n = A.shape
    steps = Cost(STEPS * (2 * TWICE + 4) * m * n, STEPS * 4 * m * n * 8, 10 * m * 8)
    return thin(A, b) + steps
