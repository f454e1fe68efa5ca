"""The same limits as NumPy and its BLAS reach them, where Numba is not installed; each thread has a BLAS of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ORDER = 384  # of the matrices: large enough for BLAS to reach its best rate, small enough for a few milliseconds


def multiply_add_flops(bits: int) -> int:
    """Operations in one product of two matrices."""
    return 2 * ORDER**3


def multiply_add_float64(steps: int) -> None:
    """The best rate in float64."""
    _multiply(np.ones((ORDER, ORDER), np.float64), steps)


def multiply_add_float32(steps: int) -> None:
    """The best rate in float32."""
    _multiply(np.ones((ORDER, ORDER), np.float32), steps)


def read(x: NDArray[np.float64], repeats: int) -> None:
    """The product of a vector with itself: BLAS reads it once."""
    for _ in range(repeats):
        np.dot(x, x)


def copy(x: NDArray[np.float64], repeats: int) -> None:
    """One half onto the other."""
    n = x.size // 2
    for _ in range(repeats):
        np.copyto(x[:n], x[n : 2 * n])


def triad(x: NDArray[np.float64], repeats: int) -> None:
    """a = b + c on the three thirds: NumPy would need two passes for the factor."""
    n = x.size // 3
    for _ in range(repeats):
        np.add(x[n : 2 * n], x[2 * n : 3 * n], out=x[:n])


def _multiply(a: NDArray[np.float64] | NDArray[np.float32], steps: int) -> None:
    result = np.empty_like(a)
    for _ in range(steps):
        np.matmul(a, a, out=result)
