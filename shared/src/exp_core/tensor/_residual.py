"""The residual b - Ax as if computed in twice float64's precision and then rounded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float64]
SPLITTER = 2.0**27 + 1


def two_sum(a: Real, b: Real) -> tuple[Real, Real]:
    """a + b rounded, and exactly what the rounding took (Knuth, TAOCP vol. 2, section 4.2.2)."""
    s = a + b
    z = s - a
    return s, (a - (s - z)) + (b - z)


def two_product(a: Real, b: Real) -> tuple[Real, Real]:
    """ab rounded, and exactly what the rounding took, below 2**970 (Dekker, Numer. Math. 18 (1971), 224-242)."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, np.where(np.isfinite(lost), lost, 0.0)  # huge factors: the product alone


def residual(a: Real, x: Real, b: Real) -> Real:
    """$b - Ax$; a (m, n), x (n, k), b and result (m, k).

    Error at most $u |b - Ax| + \\gamma_{n+1}^2 (|A| |x| + |b|)$, one column of A after the other.
    Source: Ogita, Rump, Oishi, Accurate sum and dot product, SIAM J. Sci. Comput. 26 (2005), 1955-1988, prop. 5.5.
    """
    a, x, b = (np.asarray(y, np.float64) for y in (a, x, b))
    total, lost = b.copy(), np.zeros_like(b)
    for j in range(a.shape[1]):
        product, lost_product = two_product(a[:, j, None], -x[j, None, :])  # (m, k)
        total, lost_sum = two_sum(total, product)
        lost += lost_product + lost_sum
    return np.where(np.isfinite(lost), total + lost, total)


def _halves(x: Real) -> tuple[Real, Real]:
    """x = high + low, each of at most 26 bits (Dekker 1971)."""
    c = SPLITTER * x
    high = c - (c - x)
    return high, x - high
