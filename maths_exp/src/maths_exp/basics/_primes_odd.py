"""The sieve of Eratosthenes compiled, on odd numbers, in segments that stay in cache: a byte for each of them.

To cross off the odd multiples of p takes n / 2p writes, and their sum over the primes grows as n log log n: next to
nothing a number.  But each walks through the whole array, and one larger than the cache is fetched for every prime.
Segment after segment, with each prime going on where it stopped, the same writes meet the cache.

Source    C. Bays, R. Hudson, The segmented sieve of Eratosthenes and primes in arithmetic progressions to 10^12,
          BIT 17 (1977), 121-127.
"""

from __future__ import annotations

from math import isqrt

import numpy as np

from exp_core.compiled import njit

SEGMENT = 1 << 18  # odd numbers: half of a second cache


def segments_compiled(low, high, counting):
    """Compiled, and segment after segment: the flags that are crossed off stay in the cache."""
    start = max(low, 3) | 1
    flags = np.empty(SEGMENT, np.bool_)
    primes = odd_primes(isqrt(high))
    goes_on = (
        np.maximum(primes, -(-start // primes) | 1) * primes - start >> 1
    )  # odd multiples, as places among the odd
    total, parts = int(low <= 2 <= high), [np.array([2][: low <= 2 <= high], np.int64)]
    for begin in range(start, high + 1, 2 * SEGMENT):
        here = flags[: min(SEGMENT, (high - begin) // 2 + 1)]
        total += cross_segment(here, primes, goes_on)
        if not counting:
            parts.append(begin + 2 * np.flatnonzero(here))
    return np.int64(total) if counting else np.concatenate(parts)


@njit
def cross_segment(flags, primes, goes_on):
    """Cross off one segment; each prime's next place moves to the following one.  Returns how many are left."""
    flags[:] = True
    for e in range(primes.size):
        i, p = goes_on[e], primes[e]
        while i < flags.size:
            flags[i] = False
            i += p
        goes_on[e] = i - flags.size
    return np.count_nonzero(flags)


@njit
def odd_primes(n):
    """The odd primes to n, from one array: for the small n = isqrt(high) that all others need."""
    flags = np.ones(max(n - 1, 0) // 2, np.bool_)  # of 3, 5, 7, ...
    i = 0
    while (2 * i + 3) ** 2 <= n:
        if flags[i]:
            for j in range(2 * i * (i + 3) + 3, flags.size, 2 * i + 3):  # from the square on
                flags[j] = False
        i += 1
    return 2 * np.flatnonzero(flags) + 3
