"""Dense factorisations on both libraries: MLX has them on the CPU alone, so they are sent to its CPU stream.

Float64 and float32 as they are; halves are computed in float32 and every result is rounded once.  MLX does not report
a matrix that is not positive definite (it returns half a factor), and reports a singular one as a bare RuntimeError:
here both are ``numpy.linalg.LinAlgError``, on both libraries.  To find out, the result is computed at once.  Each
raises ValueError for anything but one non-empty matrix of the right shape, LinAlgError if it holds NaN or infinity.
Source: Golub, Van Loan, Matrix Computations, 4th ed. (2013), sections 3.4, 4.2, 5.2, 8.3 and 8.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, cast

import numpy as np
from numpy.linalg import LinAlgError

from exp_core.tensor.convert import rounded, to_numpy, widened
from exp_core.tensor.namespaces import A, Array, Work, is_mlx, mlx


def qr(a: A) -> tuple[A, A]:
    """$A = QR$, thin: a (m, n), Q (m, k) with orthonormal columns, R (k, n) upper triangular, k = min(m, n)."""
    w = _matrix(a)
    with _library(a) as linalg:
        q, r = linalg.qr(w)
    return rounded(q, like=a), rounded(r, like=a)


def cholesky(a: A) -> A:
    """$A = LL^T$, L lower triangular; of the symmetric a (n, n) only the lower triangle is read.

    Raises LinAlgError if A is not positive definite.
    """
    w = _matrix(a, square=True)
    with _library(a) as linalg:
        factor = linalg.cholesky(w)
        pivots = np.diagonal(np.asarray(to_numpy(factor), np.float64))  # where LAPACK stops, it leaves the pivot
        if not (pivots > 0).all():
            raise LinAlgError("the matrix is not positive definite")
    return rounded(factor, like=a)


def solve(a: A, b: A) -> A:
    """The x of $Ax = b$; a (n, n), b (n,) or (n, k), x as b.  Raises LinAlgError if A is singular.

    NumPy: LU with partial pivoting.  MLX: the same LU, but its triangles are inverted, which is less accurate for
    ill-conditioned A (Higham 2002, section 14.2).
    """
    w = _matrix(a, square=True)
    if b.ndim not in (1, 2) or b.shape[0] != a.shape[0]:
        raise ValueError(f"a right side of shape {b.shape} does not fit a matrix of shape {a.shape}")
    with _library(a, b) as linalg:
        x = linalg.solve(w, widened(b, a))
        to_numpy(x)
    return rounded(x, like=b)


def svd(a: A) -> tuple[A, A, A]:
    """$A = U \\, \\mathrm{diag}(s) \\, V^T$, thin: a (m, n), U (m, k), s (k,) falling, $V^T$ (k, n), k = min(m, n)."""
    w, k = _matrix(a), min(a.shape)
    with _library(a) as linalg:
        u, s, vt = linalg.svd(w)
        to_numpy(s)
    return rounded(u[:, :k], like=a), rounded(s, like=a), rounded(vt[:k], like=a)


def eigh(a: A) -> tuple[A, A]:
    """$A = V \\, \\mathrm{diag}(\\lambda) \\, V^T$ of the symmetric a (n, n): ascending eigenvalues, columns V.

    Only the lower triangle of A is read.
    """
    w = _matrix(a, square=True)
    with _library(a) as linalg:
        values, vectors = linalg.eigh(w)
        to_numpy(values)
    return rounded(values, like=a), rounded(vectors, like=a)


class _Linalg(Protocol):
    """What ``numpy.linalg`` and ``mlx.core.linalg`` share."""

    def qr(self, a: Work, /) -> tuple[Work, Work]: ...
    def cholesky(self, a: Work, /) -> Work: ...
    def solve(self, a: Work, b: Work, /) -> Work: ...
    def svd(self, a: Work, /) -> tuple[Work, Work, Work]: ...
    def eigh(self, a: Work, /) -> tuple[Work, Work]: ...


class _Streams(Protocol):
    linalg: _Linalg
    cpu: object

    def stream(self, device: object, /) -> AbstractContextManager[None]: ...


@contextmanager
def _library(*arrays: Array) -> Iterator[_Linalg]:
    """The library's linear algebra, MLX's on its CPU stream and with its failures under NumPy's name."""
    if not is_mlx(arrays[0]):
        yield cast("_Linalg", np.linalg)
        return
    mx = cast("_Streams", mlx())
    with mx.stream(mx.cpu):
        try:
            yield mx.linalg
        except RuntimeError as error:
            raise LinAlgError(str(error)) from error


def _matrix(a: Array, *, square: bool = False) -> Work:
    if a.ndim != 2 or a.size == 0 or (square and a.shape[0] != a.shape[1]):
        raise ValueError(f"need one non-empty {'square ' if square else ''}matrix, not an array of shape {a.shape}")
    if not np.isfinite(np.asarray(to_numpy(a, "float64"), np.float64)).all():
        raise LinAlgError("the matrix holds a NaN or an infinity")
    return widened(a)
