"""Bluestein's algorithm: a transform of any length, prime or not, as a convolution, done by transforms of length 2**k.

Since $jk = (j^2 + k^2 - (k - j)^2)/2$, with the chirp $c_j = e^{-\\pi i j^2/n}$
    $y_k = \\sum_j x_j w^{jk} = c_k \\sum_j (x_j c_j) \\bar c_{k-j}$,
and the sum is a convolution: padded to a length L >= 2n - 1, it is a product of spectra.
The inverse transform is the transform itself between two conjugations, over L.
Source: L. I. Bluestein, A linear filtering approach to the computation of discrete Fourier transform, IEEE Trans. Audio
Electroacoustics 18 (1970), 451-455.
"""

from __future__ import annotations

import numpy as np

from exp_core.compiled import FUSE, njit
from maths_exp.basics._fft_exact import around, exact_of_pair, exact_roots, roots
from maths_exp.basics._fft_stockham import stockham
from maths_exp.basics._fft_two_level import lanes_plan, stockham_lanes


def padded_length(n):
    """The least power of two that holds every difference k - j, from -(n-1) to n-1."""
    return 1 << (2 * n - 2).bit_length()


def chirp_and_spectrum(n, dtype):
    """c, shape (n,), and the transform of its conjugate, wrapped around a ring of length L and divided by L."""
    length = padded_length(n)
    j = np.arange(n)
    c = exact_roots(2 * n, j * j % (2 * n))  # j**2 is reduced in integers: in floats a large j would lose it
    ring = tuple(around(np.conj(part), length) for part in c)
    spectrum = exact_of_pair(ring)[0][0] / length
    return c[0].astype(dtype), spectrum.astype(dtype)


def bluestein_plan(x):
    """What is kept between calls: the chirp, its spectrum, and the roots of unity for length L."""
    n = x.shape[-1]
    return *chirp_and_spectrum(n, x.dtype), roots(padded_length(n), x.dtype)


def bluestein(x, plan=None):
    """Any length n: multiply by a chirp, convolve with its conjugate through Stockham, multiply again."""
    c, spectrum, w = plan or bluestein_plan(x)
    batch, n = x.shape
    a = np.zeros((batch, spectrum.size), x.dtype)
    a[:, :n] = x * c
    product = stockham(a, w) * spectrum
    back = stockham(np.conj(product), w)  # its conjugate is L times the inverse transform
    return np.conj(back[:, :n]) * c


def bluestein_lanes_plan(x):
    """The same with the plan of stockham_lanes, and with the padded array, whose tail stays zero from call to call."""
    batch, n = x.shape
    a = np.zeros((batch, padded_length(n)), x.dtype)
    return *chirp_and_spectrum(n, x.dtype), a, lanes_plan(a)


def bluestein_lanes(x, plan=None):
    """The same on top of stockham_lanes, with compiled products between the transforms."""
    c, spectrum, a, lanes = plan or bluestein_lanes_plan(x)
    _chirp(x, c, a)
    product = stockham_lanes(a, lanes)
    _convolve(product, spectrum)
    back = stockham_lanes(product, lanes)
    y = np.empty(x.shape, x.dtype)
    _chirp_back(back, c, y)
    return y


@njit(fastmath=FUSE)
def _chirp(x, c, a):
    for row in range(x.shape[0]):
        for j in range(c.size):
            a[row, j] = x[row, j] * c[j]


@njit(fastmath=FUSE)
def _convolve(product, spectrum):
    for row in range(product.shape[0]):
        for k in range(spectrum.size):
            product[row, k] = (product[row, k] * spectrum[k]).conjugate()


@njit(fastmath=FUSE)
def _chirp_back(back, c, y):
    for row in range(y.shape[0]):
        for k in range(c.size):
            y[row, k] = back[row, k].conjugate() * c[k]
