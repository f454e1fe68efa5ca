"""The first k singular triplets from products of A with a few vectors, beginning at random ones.

$A \\Omega$ has A's leading left vectors in its range, blurred by what $\\sigma_{k+1} / \\sigma_k$ leaves of the others.
Each power iteration, $Y \\leftarrow A A^T Y$, sharpens it by the square of that.  Krylov's method keeps every block on
the way: the best polynomial in $A A^T$, not only the highest power, for the same products.

Source    N. Halko, P. G. Martinsson, J. A. Tropp, Finding structure with randomness, SIAM Review 53 (2011), 217-288:
          algorithms 4.4 and 5.1.
          C. Musco, C. Musco, Randomized block Krylov methods for stronger and faster approximate SVD, NIPS 28 (2015).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import numpy as np

from exp_core import Skip
from maths_exp.linear_algebra._qr_cholesky import cholesky_qr_adaptive
from maths_exp.linear_algebra._qr_tsqr import tsqr
from maths_exp.linear_algebra._svd_laws import error

OVERSAMPLES = 10  # vectors more than k: HMT (2011), section 4.2, find 5 or 10 enough
MOST = 40  # power iterations; where so many do not suffice, the law says so
BLOCKS = 4  # of rows, for Dask
ORTHONORMAL = 1e-3  # a basis farther from it than this has run out of directions, and is made afresh


def randomised(A, k, q):
    """Multiply random vectors by A, orthonormalise, q times more by A^T and A; then the SVD of what A is on that space.

    Orthonormal after every product: else all columns would turn into the first singular vector, digit by digit.
    """
    Omega = np.random.default_rng(0).standard_normal((A.shape[1], k + OVERSAMPLES)).astype(A.dtype)
    Q = np.linalg.qr(A @ Omega)[0]
    for _ in range(q):
        Q = np.linalg.qr(A @ np.linalg.qr(A.T @ Q)[0])[0]
    U, s, Vt = np.linalg.svd(Q.T @ A, full_matrices=False)
    return Q @ U[:, :k], s[:k], Vt[:k]


def block_krylov(A, k, q):
    """Keep every block on the way, not only the last: a larger space, made orthonormal by CholeskyQR in threads."""
    Omega = np.random.default_rng(0).standard_normal((A.shape[1], k + OVERSAMPLES)).astype(A.dtype)
    blocks, images = [], []
    room = min(A.shape)
    while len(blocks) <= q and room > 0:
        # Products are formed transposed: the columns that the QR factorisation reads are contiguous, nothing is copied.
        Y = (images[-1].T @ A.T if images else Omega.T @ A.T).T[:, :room]
        for _ in range(2 if blocks else 0):  # twice is enough (Kahan, Parlett)
            for block in blocks:
                Y -= block @ (block.T @ Y)
        blocks.append(cholesky_qr_adaptive(Y)[0])
        images.append((blocks[-1].T @ A).T)
        room -= Y.shape[1]
    Q, AtQ = (np.concatenate([block.T for block in x]).T for x in (blocks, images))
    if np.linalg.norm(Q.T @ Q - np.eye(Q.shape[1])) > ORTHONORMAL:
        Q = tsqr(Q)[0]  # a block was nothing but rounding, and not at right angles to the others
        AtQ = (Q.T @ A).T
    V, R = cholesky_qr_adaptive(AtQ)
    U, s, Vt = np.linalg.svd(R.T)
    return Q @ U[:, :k], s[:k], Vt[:k] @ V.T


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


@dataclass(frozen=True)
class Asked:
    """A matrix and what is wanted of it, compared by a digest: the same question is answered once."""

    digest: str
    k: int
    excess: float
    A: object = field(compare=False)


def asked(A, k, excess):
    """The question, with its digest."""
    import hashlib

    return Asked(hashlib.blake2b(np.ascontiguousarray(A)).hexdigest() + A.dtype.name, k, excess, A)


@functools.lru_cache(maxsize=16)
def spectrum(question):
    """All singular values, to an error of u ||A||."""
    return np.linalg.svd(question.A.astype(np.float64), compute_uv=False)


@functools.lru_cache(maxsize=64)
def iterations(function, question):
    """The fewest power iterations that meet the error asked for."""
    sigma = spectrum(asked(question.A, 0, 0.0))
    for q in range(MOST):
        if error(function(question.A, question.k, q), question.A, question.k, question.excess, sigma) <= 1:
            return q
    return MOST


def fewest(function):
    """The arguments for a function: all are compared at equal error, each with as few power iterations as it needs."""

    def prepared(A, k, excess):
        return A, k, iterations(function, asked(A, k, excess))

    return prepared
