"""How far each way of summing may err, relative to the sum of the absolute terms; each with its theorem."""

from __future__ import annotations

import math

from exp_core.tensor import gamma, unit_roundoff


def naive_bound(x):
    """Higham (2002), eq. (4.4): each term meets at most n - 1 roundings, in whatever order they are added."""
    return gamma(max(x.size - 1, 0), x)


def pairwise_bound(x):
    """Higham (2002), eq. (4.6): as many roundings as the tree is deep."""
    return gamma(math.ceil(math.log2(max(x.size, 1))), x)


def numpy_bound(x):
    """A tree over blocks of at most 128 terms; in a block 8 partial sums of 16 terms, a tree of 3, and 7 left over."""
    return gamma(16 + 3 + 7 + math.ceil(math.log2(max(x.size / 128, 1))), x)


def kahan_bound(x):
    """Two roundings and a second-order term: Goldberg, ACM Computing Surveys 23 (1991), theorem 8 and its proof."""
    u = unit_roundoff(x)
    return 2 * u + (4 * x.size + 6) * u * u


def compensated_bound(x):
    """Ogita, Rump, Oishi (2005), proposition 4.5: u|s| and a second-order term; TwoSum is exact in any order."""
    return unit_roundoff(x) + gamma(max(x.size - 1, 0), x) ** 2


def rounded_once(x):
    """The exact sum, rounded: to float64 by the oracle, and to the dtype of x."""
    return unit_roundoff(x) + unit_roundoff("float64")
