"""Winograd's F(m, 3): m results of a filter of 3 taps for m + 2 multiplications instead of 3m.

A filter of 3 taps along m + 2 numbers is the transpose of a product of two polynomials of degrees 2 and m - 1.  Such a
product is known by its values at m + 2 points, infinity being one of them, and each value costs one multiplication:
$y = A^T [(G g) \\odot (B^T d)]$.  In two dimensions $Y = A^T [(G g G^T) \\odot (B^T d B)] A$: for m = 2, 16
multiplications for 4 results that take 36.  The sum over channels is taken between the brackets, so that each of the 16
places is a matrix product.

Source: S. Winograd, Arithmetic Complexity of Computations (1980), chapter 4.  A. Lavin, S. Gray, Fast algorithms for
convolutional neural networks, arXiv:1509.09308 (2015): A, G, B and d, g, Y are theirs, section 4.
"""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np

from exp_core import Skip
from exp_core.tensor import gamma

POINTS = tuple(Fraction(p) for p in ("0", "1", "-1", "2", "-2", "1/2", "-1/2"))
Matrix = tuple[tuple[Fraction, ...], ...]


@functools.cache
def cook_toom(m: int) -> tuple[Matrix, Matrix, Matrix]:
    """$A^T$ (m, m + 2), G (m + 2, 3) and $B^T$ (m + 2, m + 2) for m <= 6, exactly; points as Barabasz et al. take them.

    Rows of G are divided by the products of differences of the points, and rows of $B^T$ are the polynomials that
    vanish at all points but one.  Source: R. Blahut, Fast Algorithms for Signal Processing (2010), section 5.2.
    """
    points, r = POINTS[: m + 1], 3
    others = [[q for q in points if q != p] for p in points]
    B = [_with_roots(roots, m + 2) for roots in others] + [_with_roots(points, m + 2)]
    G = [[p**j / _product(p - q for q in rest) for j in range(r)] for p, rest in zip(points, others, strict=True)]
    G.append([Fraction(0), Fraction(0), Fraction(1)])
    A = [[*(p**i for p in points), Fraction(int(i == m - 1))] for i in range(m)]
    return tuple(map(tuple, A)), tuple(map(tuple, G)), tuple(map(tuple, B))


def _with_roots(roots, length):
    """Coefficients of the product of (x - root), lowest first."""
    c = [Fraction(1)]
    for root in roots:
        c = [a - root * b for a, b in zip([Fraction(0), *c], [*c, Fraction(0)], strict=True)]
    return [*c, *[Fraction(0)] * (length - len(c))]


def _product(factors):
    return functools.reduce(lambda a, b: a * b, factors, Fraction(1))


def transformed(matrix, grid):
    """$M X M^T$ for a square grid (rows of lists) of arrays; zeros cost nothing, and ones no multiplication."""
    rows = [[_combination(row, column) for column in zip(*grid, strict=True)] for row in matrix]
    return [[_combination(row, line) for row in matrix] for line in rows]


def _combination(row, arrays):
    total = None
    for factor, array in zip(row, arrays, strict=True):
        if factor:
            size = abs(factor)
            term = array if size == 1 else array * float(size)
            if total is None:
                total = term if factor > 0 else -term
            else:
                total = total + term if factor > 0 else total - term
    return total


def winograd(x, w, m=2):
    """F(2×2, 3×3): sixteen matrix products on transformed tiles, 2.25 times fewer multiplications than im2col."""
    import mlx.core as mx

    A, G, B = cook_toom(m)
    n, height, width, channels = x.shape
    down, across = -(-height // m), -(-width // m)  # tiles
    padded = mx.pad(x, ((0, 0), (1, m * down - height + 1), (1, m * across - width + 1), (0, 0)))
    d = [[_pixels(padded, i, j, m, down, across) for j in range(m + 2)] for i in range(m + 2)]
    V, U = transformed(B, d), transformed(G, [[w[:, i, j].T for j in range(3)] for i in range(3)])
    V = mx.stack([v.reshape(-1, channels) for line in V for v in line])  # (16, tiles, C)
    U = mx.stack([u for line in U for u in line])  # (16, C, O)
    M = mx.unflatten(V @ U, 0, (m + 2, m + 2))
    Y = transformed(A, [list(line) for line in M])
    y = mx.stack([mx.stack(line) for line in Y]).reshape(m, m, n, down, across, -1)
    y = y.transpose(2, 3, 0, 4, 1, 5).reshape(n, m * down, m * across, -1)
    return y[:, :height, :width]


def _pixels(padded, i, j, m, down, across):
    """The pixels at place (i, j) of every tile; tiles lie m apart and overlap by two."""
    return padded[:, i : i + m * (down - 1) + 1 : m, j : j + m * (across - 1) + 1 : m]


def three_by_three(x, w):
    """Why these filters are not for Winograd; None if they are."""
    return None if w.shape[1] == 3 else Skip("made for filters of 3 by 3", "--kernel 3")


def winograd_bound(x, w, m=2):
    """How far F(m×m, 3×3) may be off, relative to max|x| max_o sum|w_o|.

    Every number is summed and scaled at most so many times, whatever the order: with the roundings of all three
    transforms and of the sum over the channels it is $|\\hat Y - Y| \\le
    \\gamma |A^T| (\\sum_c |G||g||G^T| \\odot |B^T||d||B|) |A|$, and $|d| \\le \\max|x|$.
    Source: B. Barabasz et al., Error analysis and improving the accuracy of Winograd convolution for deep neural
    networks, ACM TOMS 46 (2020), theorem 3.
    """
    A, G, B = ([[abs(entry) for entry in row] for row in matrix] for matrix in cook_toom(m))
    channels, g = w.shape[3], np.abs(w.astype(np.float64))
    U = np.array(transformed(G, [[g[:, i, j].sum(axis=1) for j in range(3)] for i in range(3)]))
    d = np.array([float(sum(row)) for row in B])
    Y = np.array(transformed(A, list(map(list, U * np.multiply.outer(d, d)[:, :, None]))))
    largest = g.sum(axis=(1, 2, 3)).max()
    roundings = channels + 2 * sum(_roundings(matrix) for matrix in cook_toom(m))
    return gamma(roundings, x) * (float(Y.max() / largest) if largest else 1.0)


def _roundings(matrix):
    """Of one transform in one direction: the additions of the longest row, and two for a factor that is no power of 2.

    (The factor itself is rounded, and so is the product.)
    """
    factors = [abs(entry) for row in matrix for entry in row if entry]
    exact = all(f.numerator & (f.numerator - 1) == 0 and f.denominator & (f.denominator - 1) == 0 for f in factors)
    return max(sum(map(bool, row)) for row in matrix) - 1 + (0 if exact else 2)
