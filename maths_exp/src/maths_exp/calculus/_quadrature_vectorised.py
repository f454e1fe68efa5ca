"""Methods on whole arrays of points: one integral of f(x) from a to b, f called with arrays."""

from __future__ import annotations

import math

import numpy as np

from maths_exp.calculus._quadrature_nodes import gauss

MOST = 2**10  # nodes of the largest rule
SAMPLES = 2**20  # of the longest experiment
Z = 5.0  # standard deviations: 6e-7 of all normal deviates lie farther from their mean


def until_two_agree(results, tolerance):
    """The first of the results that agrees with the one before it: value, their difference, evaluations.

    As the later one is far better, the difference is the error of the earlier, and too large an estimate.
    """
    before, error, evaluations = math.nan, math.inf, 0
    for value, evaluations in results:  # noqa: B007  (they are returned)
        error = abs(value - before)
        if error <= tolerance * max(1.0, abs(value)) or not abs(value) < math.inf:
            break
        before = value
    return value, error, evaluations


def gauss_legendre(f, a, b, tolerance):
    """n nodes where they serve best: exact for degree 2n - 1.  No node is used again when n doubles."""

    def results():
        n, evaluations = 8, 0
        while n <= MOST:
            x, w = gauss(n)
            evaluations += n
            yield (b - a) / 2 * (w @ f((a + b) / 2 + (b - a) / 2 * x)), evaluations
            n *= 2

    return until_two_agree(results(), tolerance)


def clenshaw_curtis(f, a, b, tolerance):
    """Nodes cos(kπ/n), used again when n doubles: a cosine transform gives the Chebyshev series, which is integrated.

    $f = c_0/2 + c_1 T_1 + \\dots + c_n T_n / 2$, and $\\int T_k = 2 / (1 - k^2)$ for even k, 0 for odd.
    Source: L. N. Trefethen, Is Gauss quadrature better than Clenshaw-Curtis?, SIAM Review 50 (2008), 67-87.
    """

    def at(angles):
        return f((a + b) / 2 + (b - a) / 2 * np.cos(angles))

    def results():
        n = 8
        y = at(np.pi * np.arange(n + 1) / n)
        while True:
            c = np.fft.irfft(y, 2 * n)[: n + 1 : 2] * 2  # c_0, c_2, ... c_n
            k = np.arange(0, n + 1, 2)
            c[[0, -1]] /= 2
            yield (b - a) / 2 * np.sum(2 * c / (1 - k * k)), n + 1
            if n == MOST:
                break
            n *= 2
            finer = np.empty(n + 1)
            finer[::2], finer[1::2] = y, at(np.pi * np.arange(1, n, 2) / n)
            y = finer

    return until_two_agree(results(), tolerance)


def monte_carlo(f, a, b, tolerance):
    """Random points, and the mean: the error falls as 1/√n, whatever f is like, and in any number of dimensions.

    With n points the mean has the standard deviation $s / \\sqrt n$: n doubles until Z of them are allowed.
    """
    rng, n = np.random.default_rng(0), 2**10
    y = f(a + (b - a) * rng.random(n))
    while (error := Z * (b - a) * np.std(y) / math.sqrt(y.size)) > tolerance and y.size < SAMPLES:
        y = np.concatenate([y, f(a + (b - a) * rng.random(y.size))])
    return (b - a) * np.mean(y), error, y.size
