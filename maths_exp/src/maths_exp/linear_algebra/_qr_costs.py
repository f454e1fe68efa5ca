"""What each way of factoring costs, counted on paper: m rows, n columns."""

from __future__ import annotations

from exp_core import Cost
from exp_core.tensor import unit_roundoff
from maths_exp.linear_algebra._qr_bounds import condition


def cost(flops, copies=1.0, moved=2.0):
    """A cost: flops(m, n); so many copies of A as working storage; so many matrices of A's size read or written."""

    def of(A):
        m, n = A.shape
        return Cost(flops(m, n), (moved * m * n + n * n) * A.itemsize, (copies * m * n + 2 * n * n) * A.itemsize)

    return of


def adaptive(A):
    """What kappa asks for: one round reads A twice, a second one reads and writes Q once more, or the tree."""
    kappa = condition(A)
    if kappa <= 2:
        return cost(gram_and_solve(1), copies=2, moved=3)(A)
    if 64 * kappa**2 * unit_roundoff(A) <= 1:
        return cost(gram_and_solve(2), copies=2, moved=5)(A)
    return cost(tree, copies=3.5, moved=4)(A) + cost(lambda m, n: m * n * n, moved=1)(A)


def projections(m, n):
    """Gram-Schmidt: a product and a subtraction for each pair of columns, a norm and a division for each column."""
    return 2 * m * n * (n - 1) + 3 * m * n


def reflections(m, n):
    """Householder: 4 flops an entry below and right of each pivot, for R and for Q alike (Golub, Van Loan, 5.2.2)."""
    return 2 * (2 * m * n * n - 2 * n**3 / 3)


def rotations(m, n):
    """Givens: 6 flops for two entries, m - j turns for column j, of n - j columns of R and of n of Q."""
    return sum(6 * (m - j - 1) * (2 * n - j) for j in range(n))


def gram_and_solve(rounds):
    """CholeskyQR: m n^2 for half of A^T A, m n^2 for the substitution; Cholesky, the product of two triangles."""
    return lambda m, n: rounds * (2 * m * n * n + n**3 / 3) + (rounds - 1) * n**3 / 3


def tree(m, n):
    """TSQR: Householder for R, half of V^T V, and one product of a block with an n x n matrix."""
    return 2 * m * n * n + m * n * n + 2 * m * n * n
