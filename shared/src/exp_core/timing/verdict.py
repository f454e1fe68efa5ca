r"""Faster, slower, equivalent, or not known.

A table of m contestants has $m(m-1)/2$ pairs, and a reader who looks for the largest gap has looked at all of them.  So
every verdict is made at the level $1 - 0.05/k$ for the k pairs: then a race of equals has some false verdict in one
race of twenty at most.  Bonferroni's correction needs no independence (all pairs share contestants and rounds), and
unlike Holm's, which is a little sharper, it is an *interval*, as equivalence needs one: to show that a gap is small is
not the same as failing to show that it is large.  Sources: Dunn, Multiple comparisons among means, J. Am. Statist.
Assoc. 56 (1961); Schuirmann, J. Pharmacokin. Biopharm. 15 (1987), for equivalence by two one-sided tests.
"""

from __future__ import annotations

from typing import Literal

Verdict = Literal["faster", "slower", "equivalent", "undecided"]

WITHIN = 0.02


def corrected(level: float, contestants: int) -> float:
    """The level at which each of all pairs must be judged for all verdicts together to hold at ``level``."""
    pairs = max(contestants * (contestants - 1) // 2, 1)
    return 1 - (1 - level) / pairs


def judge(ratio: tuple[float, float, float], noise_floor: float | None, within: float, rounds: int) -> Verdict:
    """What follows from a ratio (value, low, high), above 1 for the faster one.

    faster, slower: the interval leaves out 1, and the gap is larger than the noise floor.
    equivalent: neither, and the whole interval lies within the factor ``1 + within`` on both sides.
    undecided: neither; always so after a single round, and where no noise floor is known.
    """
    value, low, high = ratio
    if rounds < 2 or noise_floor is None:
        return "undecided"
    if low > 1 and value > 1 + noise_floor:
        return "faster"
    if high < 1 and value < 1 / (1 + noise_floor):
        return "slower"
    return "equivalent" if 1 / (1 + within) < low and high < 1 + within else "undecided"
