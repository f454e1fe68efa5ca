"""Does MLX work with OpenBLAS?  ``python -m exp_core.machine.blas_proof COPY REFERENCE``, run by blas_copy.py.

One line of JSON goes out: ``{"faster": ratio, "refused": reason or ""}``.  A copy that cannot be loaded, or that kills
the process, ends this process and no other.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from exp_core.tensor import gamma, to_numpy
from exp_core.timing import call_once

if TYPE_CHECKING:
    import numpy as np

SHAPE = (251, 256, 257)  # rows, terms, columns: beyond every block of a kernel, and with a remainder
ROUNDS = 7
ROW_MAJOR, PLAIN = 101, 111  # CBLAS_ORDER and CBLAS_TRANSPOSE, as in cblas.h


def main() -> None:
    """Load the copy, import MLX, look, and say what was found."""
    copy, reference = sys.argv[1:]
    ctypes.CDLL(copy)
    faster, refused = 0.0, other_blas(copy) or wrong()
    if not refused:
        faster = ratio(reference)
        refused = "" if faster > 1 else f"OpenBLAS is no faster here than what MLX came with ({faster:.2f} times)"
    print(json.dumps({"faster": faster, "refused": refused}))


def other_blas(copy: str) -> str:
    """What is wrong if importing MLX loads the BLAS that it came with; empty if the copy has taken its place."""
    import mlx.core  # noqa: F401

    loaded = {line.split(maxsplit=5)[-1].strip() for line in Path("/proc/self/maps").read_text().splitlines()}
    blas = sorted(file for file in loaded if Path(file).name.startswith(("libblas", "libcblas")) and file != copy)
    return f"MLX loads {blas[0]} although OpenBLAS has its name" if blas else ""


def wrong() -> str:
    """What is wrong with MLX's products of float32, in each way that they may be laid out; empty if all are right.

    Bound: Higham, Accuracy and Stability (2002), eq. (3.13): |C - AB| <= gamma_n |A| |B|.
    """
    import mlx.core as mx
    import numpy as np

    rng = np.random.default_rng(0)
    m, n, p = SHAPE
    A, B = rng.standard_normal((m, n), np.float32), rng.standard_normal((n, p), np.float32)
    exact, bound = A.astype(float) @ B.astype(float), gamma(n, A) * (np.abs(A).astype(float) @ np.abs(B).astype(float))
    with mx.stream(mx.cpu):
        for left in (mx.array(A), mx.array(np.ascontiguousarray(A.T)).T):
            for right in (mx.array(B), mx.array(np.ascontiguousarray(B.T)).T):
                if not (np.abs(to_numpy(left @ right) - exact) <= bound).all():
                    return "MLX's matrix products are wrong with OpenBLAS"
    return ""


def ratio(reference: str) -> float:
    """The reference's best time for a product over MLX's best, taken in turns."""
    import mlx.core as mx
    import numpy as np

    rng = np.random.default_rng(1)
    A, B = (rng.standard_normal((SHAPE[1], SHAPE[1]), np.float32) for _ in range(2))
    a, b, C = mx.array(A), mx.array(B), np.empty_like(A)
    library = ctypes.CDLL(reference)

    def with_mlx() -> None:
        with mx.stream(mx.cpu):
            mx.eval(a @ b)

    def with_reference() -> None:
        _multiply(library, A, B, C)

    pairs = [(call_once(with_reference)[1], call_once(with_mlx)[1]) for _ in range(ROUNDS)]
    return min(theirs for theirs, _ in pairs) / min(ours for _, ours in pairs)


def _multiply(
    library: ctypes.CDLL,
    A: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    B: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    C: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> None:
    """C = A B for square matrices, by the interface of cblas.h."""
    n, one, zero = ctypes.c_int(len(A)), ctypes.c_float(1), ctypes.c_float(0)
    a, b, c = (ctypes.c_void_p(M.ctypes.data) for M in (A, B, C))
    library.cblas_sgemm(ROW_MAJOR, PLAIN, PLAIN, n, n, n, one, a, n, b, n, zero, c, n)


if __name__ == "__main__":
    main()
