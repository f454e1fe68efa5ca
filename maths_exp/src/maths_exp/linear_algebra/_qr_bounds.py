"""The laws that a factorisation obeys, and how far rounding may push each algorithm away from them.

A bound is $\\gamma_k$ with k roundings counted along the path from A to Q and R, times the norms in between.  Long
paths are counted by roundings(k): their errors add up like steps of a random walk.  All norms are Frobenius norms.
The laws are evaluated in float64 and so round too: measured() is that part.

Source    N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), chapter 19.
          N. J. Higham, T. Mary, A new approach to probabilistic rounding error analysis, SISC 41 (2019).
          M. P. Connolly, N. J. Higham, Probabilistic rounding error analysis of Householder QR (2023): sqrt(mn) for mn.
          A. Bjorck, C. C. Paige, Loss and recapture of orthogonality in the modified Gram-Schmidt algorithm (1992).
          L. Giraud et al., Rounding error analysis of the classical Gram-Schmidt process, Numer. Math. 101 (2005).
          Y. Yamamoto et al., Roundoff error analysis of the CholeskyQR2 algorithm, ETNA 44 (2015).
"""

from __future__ import annotations

import math

import numpy as np

from exp_core.tensor import gamma, unit_roundoff
from maths_exp.linear_algebra._qr_tsqr import BLOCK

LAMBDA = 8  # |theta_k| <= gamma(LAMBDA sqrt k) fails with probability 2 exp(-LAMBDA^2 / 2) = 3e-14 (theorem 2.4)


def unscaled(*arrays):
    """The arrays in float64, divided by one power of two near the first one's largest entry: no norm overflows."""
    exponent = -math.frexp(float(np.max(np.abs(arrays[0]), initial=0)))[1] if np.all(np.isfinite(arrays[0])) else 0
    return [np.ldexp(array.astype(np.float64), exponent) for array in arrays]


def factorisation(result, A):
    r"""$\|A - QR\| / \|A\|$, where whatever R has below its diagonal is an error as well; for $A = 0$, $\|QR\|$."""
    Q, R = result
    A, R = unscaled(A, R)
    residual = np.linalg.norm(Q.astype(np.float64) @ np.triu(R) - A)
    return math.hypot(residual, np.linalg.norm(np.tril(R, -1))) / (np.linalg.norm(A) or 1.0)


def orthogonality(result, A):
    r"""$\|Q^T Q - I\|$."""
    Q = result[0].astype(np.float64)
    return float(np.linalg.norm(Q.T @ Q - np.eye(Q.shape[1])))


def condition(A):
    """The condition number of A, from its triangle alone; infinite if a singular value is zero."""
    (scaled,) = unscaled(A)
    values = np.linalg.svd(np.linalg.qr(scaled, mode="r"), compute_uv=False)
    return float(values[0] / values[-1]) if values[-1] else math.inf


def roundings(k):
    """k roundings in a row count as at most so many: k, or where that is less, LAMBDA sqrt(k)."""
    return min(k, LAMBDA * math.sqrt(k))


def measured(A):
    """What evaluating a law in float64 adds: inner products of m terms, and |Q|^T|Q| is at most n in norm."""
    m, n = A.shape
    return n * gamma(roundings(m + n), "float64")


def reflections(m, n, A):
    """gamma_k for n reflectors of length m: theorem 19.4, c written out.

    From a column x to beta, v and t takes m + 3 roundings, of which v sees half; to apply I - v v^T / t takes m + 4
    more, on a vector of at most twice the length: 6m + 35 a reflector in all.
    """
    return gamma(roundings(n * (6 * m + 35)), A)


def householder_bounds(blocked=1):
    """Theorem 19.4, (19.13): sqrt(n) gamma, twice that for Q^T Q; in blocks, T rounds as often again (section 19.5)."""
    return {
        "factorisation": lambda A: _sides(A, blocked * reflections(*A.shape, A))[0],
        "orthogonality": lambda A: _sides(A, blocked * reflections(*A.shape, A))[1],
    }


def _sides(A, error):
    """Both laws' bounds, if every column of A and of I is off by at most so much of its length."""
    side = math.sqrt(A.shape[1]) * error
    return side + measured(A), 2 * side + side**2 + measured(A)


def givens_error(A):
    """Theorem 19.10: m + n - 2 stages of disjoint rotations, each off by sqrt(2) gamma_6 < gamma_9 (lemma 19.8)."""
    return gamma(roundings(9 * (A.shape[0] + A.shape[1])), A)


def tree_error(A):
    """Reflectors in blocks of rows, level upon level; products with T round as often again."""
    m, n = A.shape
    block = max(BLOCK, 4 * n)
    error = 0.0
    while True:
        error += 2 * reflections(min(m, 2 * block), n, A)
        if m < 2 * block:
            return error
        m = m // block * n


GIVENS = {
    "factorisation": lambda A: _sides(A, givens_error(A))[0],
    "orthogonality": lambda A: _sides(A, givens_error(A))[1],
}
TREE = {"factorisation": lambda A: _sides(A, tree_error(A))[0], "orthogonality": lambda A: _sides(A, tree_error(A))[1]}
HOUSEHOLDER = householder_bounds()
BLOCKED = householder_bounds(blocked=2)
DASK = householder_bounds(blocked=4)  # two levels, both of them LAPACK's blocks


def promised(A, loss, premise):
    """A loss of orthogonality, where the theorem's premise holds; where it does not, only an orthogonal Q is right."""
    return loss + measured(A) if premise < 1 else HOUSEHOLDER["orthogonality"](A)


def gram_schmidt_orthogonality(A):
    """Theorem 19.13: kappa u.

    MGS is Householder on A under n rows of zeros (Bjorck, Paige), where zeros should stay and gamma appears; divided by
    sigma_min that is the loss, on both sides of the diagonal; doubled for the terms of second order.
    """
    m, n = A.shape
    loss = 4 * math.sqrt(n) * condition(A) * reflections(m + n, n, A)
    return promised(A, loss, loss)


def squared_loss(A, times):
    """Gram matrix and Cholesky factor are off by (mn + n(n+1))u of ||A||^2; Q^T Q by that times kappa^2."""
    m, n = A.shape
    return times * (n * roundings(m) + n * (n + 1)) * unit_roundoff(A)


def classical_orthogonality(A):
    """kappa^2 u (Giraud et al. 2005): R is the Cholesky factor of a matrix near A^T A; 5 as for CholeskyQR.

    Proved for r_jj from Pythagoras (Smoktunowicz, Barlow, Langou 2006); with the norm, as here, it takes a matrix built
    for the purpose to do worse.
    """
    loss = squared_loss(A, 5 * condition(A) ** 2) + gamma(A.shape[0], A)
    return promised(A, loss, loss)


def cholesky_orthogonality(A):
    """Yamamoto et al. (2015), theorem 3.3: 6 (mn + n(n+1)) u if 8 kappa sqrt(that) <= 1: their premise (3.1)."""
    return promised(A, squared_loss(A, 6), squared_loss(A, 64 * condition(A) ** 2))


def triangular_factorisation(A):
    """Substitution is off by gamma_n |Q||R| row by row, whatever kappa is (theorem 8.5): twice, R2 R1, one spare."""
    n = A.shape[1]
    return 4 * math.sqrt(n) * gamma(n + 3, A) + measured(A)


def adaptive_orthogonality(A):
    """The worst of the three ways: one round at kappa <= 2 is 5 kappa^2 = 20 times; two rounds 6 times; or the tree."""
    return max(squared_loss(A, 20) + measured(A), TREE["orthogonality"](A))


GRAM_SCHMIDT_FACTORISATION = {
    "factorisation": lambda A: 2 * math.sqrt(A.shape[1]) * reflections(sum(A.shape), A.shape[1], A) + measured(A)
}
MODIFIED = GRAM_SCHMIDT_FACTORISATION | {"orthogonality": gram_schmidt_orthogonality}
CLASSICAL = GRAM_SCHMIDT_FACTORISATION | {"orthogonality": classical_orthogonality}
CHOLESKY = {"factorisation": triangular_factorisation, "orthogonality": cholesky_orthogonality}
ADAPTIVE = {
    "factorisation": lambda A: max(triangular_factorisation(A), TREE["factorisation"](A)),
    "orthogonality": adaptive_orthogonality,
}
