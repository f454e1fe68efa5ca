"""A network of comparisons: who is compared with whom does not depend on the numbers, so an array does many at once.

Source    D. E. Knuth, The Art of Computer Programming 3, 2nd ed. (1998), section 5.2.2, algorithm M (Batcher's merge
          exchange); K. E. Batcher, Sorting networks and their applications, AFIPS 32 (1968), 307-314.
"""

from __future__ import annotations

import numpy as np


def numpy_network(x):
    r"""Batcher's merge exchange: half of $\log_2^2 n$ rounds, in each of which all pairs are put in order at once."""
    numbers, rest = x[x == x], x[x != x]
    i = np.arange(numbers.size)
    p = top = 1 << max(numbers.size - 1, 0).bit_length() >> 1
    while p > 0:
        q, r, d = top, 0, p
        while True:
            first = i[: max(numbers.size - d, 0)]
            first = first[first & p == r]
            left, right = numbers[first], numbers[first + d]
            swap = right < left  # minimum and maximum would lose one of -0.0 and 0.0
            numbers[first], numbers[first + d] = np.where(swap, right, left), np.where(swap, left, right)
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        p >>= 1
    return np.concatenate([numbers, rest])
