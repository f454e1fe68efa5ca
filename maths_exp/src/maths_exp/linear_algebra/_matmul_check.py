r"""Is C = AB?  Freivalds' check, with bounds: multiply both sides by a few vectors x; C x = A(B x) costs n^2 a vector.

The columns are cut into blocks; x is +1 or -1 on one block and 0 elsewhere, one vector for each block.  If every entry
of C obeys $|\hat C - C|_{ij} \le \gamma_k (|A||B|)_{ij}$, the bound of the ordinary algorithm in any order of
summation (Higham 2002, eq. 3.13), then $|\hat C x - A(Bx)|_i \le \gamma_k (|A||B||x|)_i$; and $w \epsilon$ bounds it
if no entry is off by more than $\epsilon$ and the block has w columns.  Up to PROBES columns a block is one column:
every entry is checked by itself.  The signs do not depend on C, so that its errors cannot agree to cancel.

What is small beside $\gamma_k$ must be computed in twice the precision: float32 in float64, and float64 as a sum of two
doubles that is never added up (some machines have no long double).

Source: R. Freivalds, Probabilistic machines can use less running time, IFIP Congress (1977), 839-842.
        T. J. Dekker, A floating-point technique for extending the available precision, Numer. Math. 18 (1971), 224-242.
"""

from __future__ import annotations

import numpy as np

from exp_core.tensor import gamma

PROBES = 32  # blocks of columns, at most


def block_width(n):
    """Columns in a block."""
    return -(-n // PROBES)


def signed_blocks(x):
    """X as float64, column after column times its sign, cut into blocks of equal width: (rows, blocks, width)."""
    rows, n = x.shape
    width = block_width(n)
    blocks = -(-n // width)
    signs = np.random.default_rng(n).choice([-1.0, 1.0], n)
    out = np.zeros((rows, blocks * width))
    out[:, :n] = x * signs
    return out.reshape(rows, blocks, width)


def probed(x):
    """X times the vectors, in twice the precision: high and low parts, (rows, blocks)."""
    x = signed_blocks(x)
    high, low = x[:, :, 0], np.zeros(x.shape[:2])
    for j in range(1, x.shape[2]):
        high, lost = two_sum(high, x[:, :, j])
        low = low + lost
    return high, low


def oracle(a, b):
    """A(Bx) as high and low parts, and |A||B||x|, for every vector x."""
    high, low = probed(b)  # (k, blocks)
    scale = np.abs(a.astype(np.float64)) @ np.abs(signed_blocks(b)).sum(axis=2)
    if a.dtype == np.float32:
        return a.astype(np.float64) @ high, np.zeros_like(scale), scale
    return (*product_in_two(a, high, a @ low), scale)


def product_in_two(a, y, low):
    """A Y in float64 with what its roundings lose, added to ``low``: a rank-one update for each column of A."""
    (m, k), n = a.shape, y.shape[1]
    a_high, a_low = split(a)
    y_high, y_low = split(y)
    high = np.zeros((m, n))
    for p in range(k):
        product = np.multiply.outer(a[:, p], y[p])
        below = np.multiply.outer(a_high[:, p], y_high[p])
        below -= product
        below += np.multiply.outer(a_high[:, p], y_low[p])
        below += np.multiply.outer(a_low[:, p], y_high[p])
        below += np.multiply.outer(a_low[:, p], y_low[p])  # now product + below = a y exactly (Dekker)
        high, lost = two_sum(high, product)
        low = low + (lost + below)
    return high, low


def two_sum(a, b):
    """a + b rounded, and what the rounding took (Knuth, TAOCP vol. 2, 4.2.2)."""
    s = a + b
    z = s - a
    return s, (a - (s - z)) + (b - z)


def split(x):
    """x as two halves of its significand: products of halves are exact (Dekker; |x| < 2^996, so that t is finite)."""
    t = (2.0**27 + 1) * x
    high = t - (t - x)
    return high, x - high


def residual(c, truth):
    """|Cx - A(Bx)|, for every row and every vector x."""
    with np.errstate(invalid="ignore"):  # infinity less infinity is not a number, and breaks the law
        (high, low), (true_high, true_low, _) = probed(c), truth
        return np.abs((high - true_high) + (low - true_low))


def componentwise(c, a, b, truth):
    """The largest $|Cx - A(Bx)| / |A||B||x|$: each entry against what could cancel in it."""
    error, scale = residual(c, truth), truth[2]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.max(np.where((error == 0) & (scale == 0), 0.0, error / scale))


def normwise(c, a, b, truth):
    r"""The largest $|Cx - A(Bx)| / (w \max |A| \max |B|)$: every entry against the largest."""
    return np.max(residual(c, truth)) / (block_width(b.shape[1]) * largest(a, b))


def largest(a, b):
    return float(np.abs(a).max()) * float(np.abs(b).max())


def ordinary_componentwise(a, b):
    """Higham (2002), eq. (3.13): k products, and k - 1 additions in any order; fused, they round less often."""
    return gamma(a.shape[1], a)


def ordinary_normwise(a, b):
    """The same, where no entry of |A||B| is larger than k max|A| max|B|."""
    return a.shape[1] * gamma(a.shape[1], a)


def componentwise_from(normwise_bound):
    """What a normwise bound says of the smallest entry: little, if rows or columns are badly scaled."""

    def bound(a, b):
        scale = np.abs(a.astype(np.float64)) @ np.abs(signed_blocks(b)).sum(axis=2)
        return normwise_bound(a, b) * block_width(b.shape[1]) * largest(a, b) / float(scale.min())

    return bound
