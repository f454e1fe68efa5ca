"""The same limits as NumPy and its BLAS reach them, where Numba is not installed; each thread has a BLAS of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exp_core.machine.crew import Task, Way

ORDER = 384  # of the matrices: large enough for BLAS to reach its best rate, small enough for a few milliseconds


def multiply_adds(dtype: str) -> tuple[Task, float]:
    """Products of two matrices, and the operations in one."""
    a = np.ones((ORDER, ORDER), dtype)
    result = np.empty_like(a)

    def multiply(times: int) -> None:
        for _ in range(times):
            np.matmul(a, a, out=result)

    return multiply, 2.0 * ORDER**3


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


def in_place(x: NDArray[np.float64], repeats: int) -> None:
    """x = s x."""
    for _ in range(repeats):
        np.multiply(x, -1.0, out=x)


WAYS = {  # whether it stores past the caches, copyto decides for itself
    "read": (Way(read, 1, 1),),
    "copy": (Way(copy, 2, 2),),
    "triad": (Way(triad, 3, 3),),
    "in_place": (Way(in_place, 1, 2),),
}
