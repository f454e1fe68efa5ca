"""What theory promises of a fast Fourier transform: how far it rounds, and what it counts.

Every factorisation here is a product of sparse matrices, one a level, each of them unitary but for a scale.  Hence the
relative errors of the levels, measured in the 2-norm, neither grow nor shrink on the way: they add up.
Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), section 24.1.
"""

from __future__ import annotations

import math
import os

import numpy as np

from exp_core import Cost
from exp_core.tensor import gamma, unit_roundoff
from maths_exp.basics._fft_bluestein import padded_length
from maths_exp.basics._fft_exact import around
from maths_exp.basics._fft_lanes import LANES
from maths_exp.basics._fft_passes import radices
from maths_exp.basics._fft_two_level import BLOCKS, SHARED, SHORTEST

ROOT2 = math.sqrt(2)


def together(*errors):
    """Relative errors one after the other: $\\prod (1 + \\varepsilon_i) - 1$, without cancellation."""
    return math.expm1(sum(map(math.log1p, errors)))


def weighted_product(x, mu):
    """A complex product rounds by $\\sqrt 2 \\gamma_2$ (Higham 2002, lemma 3.5); its weight is itself wrong by mu."""
    return together(mu, ROOT2 * gamma(2, x))


def level(x, mu):
    """$\\eta = \\mu + \\gamma_4 (\\sqrt 2 + \\mu)$: one radix-2 level with weights wrong by mu (theorem 24.2)."""
    return mu + gamma(4, x) * (ROOT2 + mu)


def radix_bound(x):
    """$\\eta \\log_2 n / (1 - \\eta \\log_2 n)$: Higham (2002), theorem 24.2, with $\\mu = u$ (see roots).

    A pass of radix 4 or 8 is two or three levels of radix 2, with some weights exact: the same bound holds.
    """
    t = levels(x.shape[-1]) * level(x, unit_roundoff(x))
    return t / (1 - t)


def levels(n):
    """log2 n; a single number counts as one level."""
    return max(n.bit_length() - 1, 1)


def two_level_bound(x):
    """The same, but between columns and rows the weight is itself a rounded product of two rounded ones."""
    u = unit_roundoff(x)
    twice = together(u, weighted_product(x, u))
    return together(*[level(x, u)] * (levels(x.shape[-1]) - 1), level(x, twice))


def definition_bound(x, n=0):
    """Two real sums of 2n products: wrong by at most $c \\|x\\|_1$, $c = \\mu + \\sqrt 2 \\gamma_{2n} (1 + \\mu)$.

    With $\\|x\\|_1 \\le \\sqrt n \\|x\\|_2$ and $\\|y\\|_2 = \\sqrt n \\|x\\|_2$, in norm $\\sqrt n c$.  Any order of
    summation will do (Higham 2002, section 3.1), so that this holds for BLAS as well.
    """
    n = n or x.shape[-1]
    mu = unit_roundoff(x)
    return math.sqrt(n) * (mu + ROOT2 * gamma(2 * n, x) * (1 + mu))


def chirp_bound(x, length, transform):
    """Bluestein: three products with chirp or spectrum and two transforms, in norm, and one quantity more.

    The product of spectra A B is measured by ||A|| max|B| and not by itself; ||A|| = sqrt(length) ||x|| and
    ||y|| = sqrt(n) ||x||.  So the sum of the errors is enlarged by $\\max|B| / \\sqrt n$, which is about 2.2.
    """
    import scipy.fft

    n = x.shape[-1]
    j = np.arange(n)
    ring = around(np.exp(1j * np.pi / n * (j * j % (2 * n))), length)
    enlarged = abs(scipy.fft.fft(ring)).max() / math.sqrt(n)
    return enlarged * together(*[weighted_product(x, unit_roundoff(x))] * 3, *[transform] * 2)


def bluestein_bound(x):
    """chirp_bound on top of Stockham."""
    length = padded_length(x.shape[-1])
    return chirp_bound(x, length, radix_bound(_virtual(x, length)))


def bluestein_lanes_bound(x):
    """chirp_bound on top of the two-level transform."""
    length = padded_length(x.shape[-1])
    return chirp_bound(x, length, two_level_bound(_virtual(x, length)))


def library_bound(x):
    """pocketfft: radix 4 and 8 for powers of two; else a level a prime factor, or Bluestein, as it judges faster.

    A level of radix p is bounded as the definition with p terms, and a product with a weight.
    """
    import scipy.fft

    n = x.shape[-1]
    if n & (n - 1) == 0:
        return radix_bound(x)
    length = scipy.fft.next_fast_len(2 * n - 1)
    return max(_mixed(x, n), chirp_bound(x, length, _mixed(x, length)))


def _mixed(x, n):
    u = unit_roundoff(x)
    return together(*(together(definition_bound(x, p), weighted_product(x, u)) for p in prime_factors(n)))


def _virtual(x, n):
    """An array of another length that takes no memory, for a bound or a cost to look at."""
    return np.broadcast_to(x.dtype.type(0), (x.shape[0], n))


def prime_factors(n):
    """2, 2, 3 for 12."""
    factors, p = [], 2
    while n > 1:
        while n % p == 0:
            factors.append(p)
            n //= p
        p = p + 1 if p * p <= n else n
    return factors


def cost(flops, copies):
    """The cost of a row's ``flops(n)``: x read and y written once, and the memory of so many copies of x."""

    def of(x, *_):
        batch, n = x.shape
        return Cost(flops=batch * flops(n), bytes=2 * x.nbytes, memory=(1 + copies) * x.nbytes)

    return of


def definition_flops(n):
    """n**2 complex products of 6 and n (n - 1) complex additions of 2 flops."""
    return 6 * n * n + 2 * n * (n - 1)


def matrix_cost(x):
    """The same arithmetic, and a matrix of n**2 weights, made of two matrices of integers jk."""
    batch, n = x.shape
    flops, memory = batch * definition_flops(n), n * n * (x.itemsize + 16)
    return Cost(flops=flops, bytes=2 * x.nbytes + n * n * x.itemsize, memory=memory + x.nbytes)


def radix2_flops(n):
    """n/2 butterflies a level: a product and two additions, 10 flops."""
    return 5 * n * (n.bit_length() - 1)


def radix4_flops(n):
    """n/4 butterflies for two levels: three products and eight additions, 34 flops; a last radix 2 has no products."""
    k = n.bit_length() - 1
    return n // 4 * 34 * (k // 2) + 2 * n * (k % 2)


def two_level_flops(n):
    """Passes of radix 8 (24 additions, 8 flops for eighths) and 4, weights after all but the last, two in between."""
    if n < SHORTEST:
        return radix4_flops(n)
    k = n.bit_length() - 1
    flops = 12 * n
    for half in (k - k // 2, k // 2):
        passes = radices(half)
        flops += sum(n // r * {4: 16, 8: 56}[r] for r in passes) + sum(n // r * 6 * (r - 1) for r in passes[:-1])
    return flops


def two_level_cost(x):
    """Beside the result: for each thread the middle array and three blocks; and weights, n/8 and fewer."""
    batch, n = x.shape
    threads = (os.cpu_count() or 1) if x.size >= SHARED else 1
    middle = n * (threads if batch > 1 else 1)
    blocks = threads * BLOCKS * LANES * math.isqrt(2 * n)
    memory = x.nbytes + x.itemsize * (middle + blocks + n // 4 + LANES * math.isqrt(2 * n))
    return Cost(batch * two_level_flops(n), 2 * x.nbytes, memory)


def chirp_flops(transform):
    """Two transforms of the padded length L, and products: n, L and n of them."""
    return lambda n: 2 * transform(padded_length(n)) + 6 * (2 * n + padded_length(n))


def library_flops(n):
    """Radix 4 for a power of two; else one level a prime factor p, by definition, or Bluestein: the lesser."""
    if n & (n - 1) == 0:
        return radix4_flops(n)
    mixed = sum(n // p * definition_flops(p) + 6 * n for p in prime_factors(n))
    return min(mixed, chirp_flops(radix4_flops)(n))
