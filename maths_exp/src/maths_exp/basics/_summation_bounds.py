"""How far each way of summing may err, relative to the sum of the absolute terms; each with its theorem."""

from __future__ import annotations

import math

from exp_core.tensor import gamma, unit_roundoff


def naive_bound(x):
    """Each term meets at most n - 1 roundings, in whatever order they are added; (n - 1)u holds for every n.

    Source: Jeannerod, Rump, Improved error bounds for inner products, SIAM J. Matrix Anal. Appl. 34 (2013), 338-344.
    """
    return max(x.size - 1, 0) * unit_roundoff(x)


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
    """Ogita, Rump, Oishi (2005), proposition 4.5: u|s| and a second-order term."""
    return deep_bound(max(x.size - 1, 0), x)


def deep_bound(depth, x):
    """The same where no term meets more than so many additions: TwoSum is exact in any order.

    d additions lose at most $\\gamma_d \\sum |x_i|$; adding these losses in the same tree errs by $\\gamma_d$ again.
    """
    return unit_roundoff(x) + gamma(depth, x) ** 2


def rounded_once(x):
    """The exact sum, rounded: to float64 by the oracle, and to the dtype of x."""
    return unit_roundoff(x) + unit_roundoff("float64")
