"""The matrix product in blocks: the loop that a cache, a GPU's threadgroup or a cluster runs."""

from __future__ import annotations

import numpy as np

from exp_core.tensor.convert import rounded, widened
from exp_core.tensor.namespaces import A, namespace


@np.errstate(all="ignore")
def blocked_matmul(a: A, b: A, *, block: int = 64) -> A:
    """$C_{IJ} = \\sum_P A_{IP} B_{PJ}$ over square blocks; a (m, k), b (k, n), result (m, n) in their element type.

    Halves are multiplied and summed in float32 and rounded once.  $|\\hat C - C| \\le \\gamma_k |A| |B|$ in any order
    of summation (Higham 2002, section 3.5).  An empty sum (k = 0) is 0.
    Raises ValueError if the shapes do not fit or block < 1, TypeError for other element types.
    Source: Golub, Van Loan, Matrix Computations, 4th ed. (2013), section 1.3.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ValueError(f"cannot multiply shapes {a.shape} and {b.shape}")
    if block < 1:
        raise ValueError(f"a block has at least one row, not {block}")
    xp, left, right = namespace(a, b), widened(a, b), widened(b, a)
    c = xp.zeros((a.shape[0], b.shape[1]), left.dtype)
    for i in range(0, a.shape[0], block):
        for j in range(0, b.shape[1], block):
            total = c[i : i + block, j : j + block]  # zeros
            for p in range(0, a.shape[1], block):
                total = total + left[i : i + block, p : p + block] @ right[p : p + block, j : j + block]
            c[i : i + block, j : j + block] = total
    return rounded(c, like=a)
