"""Who runs when, and who sits out when time is short."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

Name = TypeVar("Name")

ROUNDS_AT_LEAST = 3
ROUNDS_WANTED = 20  # from here on a 95% interval of the median leaves out the outer quarter of the samples on each side


def order(contestants: Sequence[Name], round_: int, seed: int) -> list[Name]:
    """The order of one round: random in even rounds, and the same backwards in the odd round that follows (ABBA).

    Over such a pair of rounds everybody has the same mean position, so that a drift that is linear in time cancels, and
    everybody runs before everybody else once.  Source: Box, Hunter, Hunter, Statistics for Experimenters (2005), ch. 4.
    """
    shuffled = list(contestants)
    random.Random(f"{seed}/{round_ // 2}").shuffle(shuffled)
    return shuffled[::-1] if round_ % 2 else shuffled


def who_goes_on(cost_s: dict[Name, float], rounds: int, left_s: float) -> list[Name]:
    """Those who take part in the next round, given what a round of each costs and the seconds that are left.

    Everybody runs ROUNDS_AT_LEAST rounds.  After that the slowest sit out where, with them, the others would not reach
    ROUNDS_WANTED: three calls of a textbook's loop say enough, three calls of the two fastest do not.  Where not even
    the fastest would reach it, all those go on who fit.  Nobody goes on: the race is over.
    """
    if rounds < ROUNDS_AT_LEAST:
        return list(cost_s)
    wanted = max(ROUNDS_WANTED - rounds, 1)
    return _fastest_within(cost_s, left_s / wanted) or _fastest_within(cost_s, left_s)


def _fastest_within(cost_s: dict[Name, float], limit_s: float) -> list[Name]:
    """As many of the fastest as cost no more than the limit together."""
    chosen: list[Name] = []
    for name in sorted(cost_s, key=cost_s.__getitem__):
        limit_s -= cost_s[name]
        if limit_s < 0:
            break
        chosen.append(name)
    return chosen
