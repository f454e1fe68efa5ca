"""Number after number: is it prime?  The test of Miller and Rabin, for windows so high that nothing else is quick.

Let $n - 1 = 2^s d$ with d odd.  If n is prime, $a^d = 1$ or $a^{2^j d} = -1$ modulo n for some j < s, since only 1 and
-1 are square roots of 1.  Each composite n < 341550071728321 fails that for a base a of 2, 3, 5, 7, 11, 13, 17.

Source    G. Jaeschke, On strong pseudoprimes to several bases, Mathematics of Computation 61 (1993), 915-926.
"""

from __future__ import annotations

import numpy as np

BASES = (2, 3, 5, 7, 11, 13, 17)
CERTAIN = 341_550_071_728_321  # below this number the bases decide
TRIED = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)  # divided by first: that leaves every seventh number
BLOCK = 1 << 14  # numbers at a time: the arrays stay in cache


def primes_between(low, high):
    """The primes from low to high < CERTAIN, in blocks: arrays of int64."""
    for begin in range(max(low, 2), high + 1, 8 * BLOCK):
        n = np.arange(begin, min(begin + 8 * BLOCK, high + 1))
        for p in TRIED:
            n = n[(n % p != 0) | (n == p)]
        for a in BASES:
            n = n[passes(n, a) | (n <= BASES[-1])] if n.size else n
        yield n


def passes(n, a):
    """Whether each n is prime or one of the few composites that look so to the base a: odd n, int64, shape (count,)."""
    lowest = n - 1 & 1 - n  # the power of two in n - 1
    power, looks = power_modulo(a, (n - 1) // lowest, n), np.zeros(n.shape, bool)
    looks |= power == 1
    while lowest.max() > 1:
        looks |= (power == n - 1) & (lowest > 1)
        power, lowest = product_modulo(power, power, n, 1 / n), lowest >> 1
    return looks


def power_modulo(a, d, n):
    """$a^d$ modulo n, the binary digits of d from the first to the last."""
    result, inverse = np.ones_like(n), 1 / n
    for bit in range(int(d.max()).bit_length() - 1, -1, -1):
        result = product_modulo(result, result, n, inverse)
        result = product_modulo(result, np.where(d >> bit & 1, a, 1), n, inverse)
    return result


def product_modulo(x, y, n, inverse):
    """x y modulo n for 0 <= x, y < n < 2^49: the quotient, in floating point, is off by one at most."""
    q = (x.astype(np.float64) * y * inverse).astype(np.int64)
    r = x * y - q * n  # each modulo 2^64, and the difference is small
    r += n & r >> 63  # n where r is negative
    r -= n
    return r + (n & r >> 63)
