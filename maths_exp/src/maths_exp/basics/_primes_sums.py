"""How many primes there are to x, and the sums of their powers, without finding one of them beyond the root of x.

Let $S(v, p)$ be the sum of $m^k$ over $2 \\le m \\le v$ that are prime, or have no prime factor up to p.  Sieving by p
takes out the numbers $p m$ whose smallest factor is p: $S(v, p) = S(v, p-1) - p^k (S(v/p, p-1) - S(p-1, p-1))$ for
$p^2 \\le v$.  Only the values $v = x$ div i are needed, $2 \\sqrt x$ of them, and $O(x^{3/4})$ operations.  Nothing is
crossed off here: that is why a sieve's answer is held against it.  All sums are modulo $2^{64}$.

Source    D. H. Lehmer, On the exact number of primes less than a given limit, Illinois J. Math. 3 (1959), 381-388, for
          the count by Legendre's and Meissel's formulas; the form with all v at once is known as Lucy_Hedgehog's.
"""

from __future__ import annotations

from math import isqrt

import numpy as np

from maths_exp.basics._primes_tested import primes_between

POWERS = (0, 1, 2)
THIRD = np.uint64(pow(3, -1, 2**64))  # dividing a multiple of three by three is a product, modulo 2^64


def exact_sums(low, high, counting):
    """The number of primes from low to high; where a list is asked for, the sums of first and second powers too."""
    powers = POWERS[:1] if counting else POWERS
    if 5 * (high - low) < high**0.75:  # a short window high up: to test its numbers is less work
        blocks = [block.view(np.uint64) for block in primes_between(low, high)]
        return tuple(sum(int((block ** np.uint64(k)).sum()) for block in blocks) % 2**64 for k in powers)
    return tuple((a - b) % 2**64 for a, b in zip(sums_to(high, powers), sums_to(low - 1, powers), strict=True))


def sums_to(x, powers=POWERS):
    """The sums of the powers of the primes to x, modulo 2^64."""
    if x < 2:
        return [0] * len(powers)
    r = isqrt(x)
    v = np.arange(r + 1)  # below, column v of `small` belongs to v, and column i of `large` to x div i
    i = np.maximum(v, 1)
    small, large = ([powers_to(values.astype(np.uint64), k) for k in powers] for values in (v, x // i))
    for p in range(2, r + 1):
        if small[0][p] == small[0][p - 1]:
            continue  # not a prime
        last = min(r, x // (p * p))
        near = min(last, r // p)  # to there x div (i p) is x div another i
        beyond = x // (i[near + 1 : last + 1] * p)
        down = v[p * p :] // p
        for k, s, l in zip(powers, small, large, strict=True):
            factor, before = np.uint64(p**k), s[p - 1]
            l[1 : near + 1] -= factor * (l[p : near * p + 1 : p] - before)
            l[near + 1 : last + 1] -= factor * (s[beyond] - before)
            s[p * p :] -= factor * (s[down] - before)
    return [int(l[1]) for l in large]


def powers_to(v, k):
    """$2^k + ... + v^k$ modulo 2^64 for an array of v, and 0 for v = 0."""
    one = np.uint64(1)
    even, odd = np.where(v % 2 == 0, v, v + one) // np.uint64(2), np.where(v % 2 == 0, v + one, v)
    total = (v, even * odd, even * odd * (v + v + one) * THIRD)[k]
    return np.where(v > 0, total - one, v)


def wrong(result, low, high, counting, truth):
    """By how much a count is off; of a list, how many of its sums are, and how many places are not in ascending order.

    A list with one wrong entry has a wrong sum, and one with two has a wrong sum or sum of squares (below 2^31: the
    difference of two sums of squares is 2 d (a - b + d), which vanishes modulo 2^64 only if it does): whatever a single
    crossing too many or too few does is seen.
    """
    if counting:
        return abs(int(result) - truth[0])
    primes = np.asarray(result)
    if primes.dtype != np.int64 or primes.ndim != 1:
        raise TypeError(f"a list of primes is an array of int64, shape (count,), not {primes.dtype} {primes.shape}")
    places = np.diff(primes, prepend=low - 1, append=high + 1)
    values = primes.view(np.uint64)
    sums = (primes.size, int(values.sum()), int((values * values).sum()))
    return (
        np.count_nonzero(places[:-1] <= 0) + (places[-1] <= 0) + sum(a != b for a, b in zip(sums, truth, strict=True))
    )
