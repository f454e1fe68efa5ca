"""The first k singular triplets from products of A with a few vectors, beginning at random ones.

$A \\Omega$ has A's leading left vectors in its range, blurred by what $\\sigma_{k+1} / \\sigma_k$ leaves of the others.
Each power iteration, $Y \\leftarrow A A^T Y$, sharpens it by the square of that.

Source    N. Halko, P. G. Martinsson, J. A. Tropp, Finding structure with randomness, SIAM Review 53 (2011), 217-288:
          algorithms 4.4 and 5.1.
"""

from __future__ import annotations

import numpy as np

from exp_core import Skip
from exp_core.remembered import remembered
from maths_exp.linear_algebra._svd_krylov import OVERSAMPLES
from maths_exp.linear_algebra._svd_laws import error

MOST = 40  # iterations; where so many do not suffice, the law says so
BLOCKS = 4  # of rows, for Dask


def randomised(A, k, q):
    """Multiply random vectors by A, orthonormalise, q times more by $A^T$ and A; then the SVD of A on that space.

    Orthonormal after every product: else all columns would turn into the first singular vector, digit by digit.
    """
    Omega = np.random.default_rng(0).standard_normal((A.shape[1], k + OVERSAMPLES)).astype(A.dtype)
    Q = np.linalg.qr(A @ Omega)[0]
    for _ in range(q):
        Q = np.linalg.qr(A @ np.linalg.qr(A.T @ Q)[0])[0]
    U, s, Vt = np.linalg.svd(Q.T @ A, full_matrices=False)
    return Q @ U[:, :k], s[:k], Vt[:k]


def svd_dask(A, k, q):
    """The same power iterations on blocks of rows: a worker sees its own rows of A, and k + 10 columns."""
    import dask
    import dask.array

    rows = dask.array.from_array(A, chunks=(-(-A.shape[0] // BLOCKS), A.shape[1]))
    options = {"n_power_iter": q, "n_oversamples": OVERSAMPLES, "iterator": "QR", "seed": 0}
    return dask.compute(*dask.array.linalg.svd_compressed(rows, k, **options))


def scikit_randomised(A, k, q):
    """scikit-learn's: power iterations with LU in between, then LAPACK's SVD of the small matrix; no signs flipped."""
    from sklearn.utils.extmath import randomized_svd

    return randomized_svd(A, k, n_oversamples=OVERSAMPLES, n_iter=q, flip_sign=False, random_state=0)


def not_small(A, k, excess):
    """A sample of k + 10 vectors that is as large as A finds everything, and saves nothing."""
    if k + OVERSAMPLES <= min(A.shape):
        return None
    return Skip(f"a sample of {k} + {OVERSAMPLES} vectors is all of A", "ask for fewer singular values")


@remembered(16)
def spectrum(A):
    """All singular values, to an error of u ||A||."""
    return np.linalg.svd(A.astype(np.float64), compute_uv=False)


@remembered(64)
def iterations(function, A, k, excess):
    """The fewest power iterations, or further blocks of a Krylov space, that meet the error asked for."""
    sigma = spectrum(A)
    for q in range(MOST):
        if error(function(A, k, q), A, k, excess, sigma) <= 1:
            return q
    return MOST


def fewest(function):
    """The arguments for a function: all are compared at equal error, each with as few iterations as it needs."""

    def prepared(A, k, excess):
        return A, k, iterations(function, A, k, excess)

    return prepared
