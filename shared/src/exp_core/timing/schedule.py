"""Who runs when, and who sits out when time is short."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

Name = TypeVar("Name")

ROUNDS_AT_LEAST = 3
ALIKE = 2.0  # times the cost of the cheapest: to do without such a one gains little, and would leave it untold
ROUNDS_WANTED = 20  # from here on a 95% interval of the median leaves out the outer quarter of the samples on each side


def order(contestants: Sequence[Name], round_: int, seed: int) -> list[Name]:
    """The order of one round.  An odd round is the one before it backwards (ABBA).

    Over such a pair of rounds everybody has the same mean position, so that a drift that is linear in time cancels, and
    everybody runs before everybody else once.  Over a cycle of m rounds (2m for odd m) everybody also stands at every
    place equally often and comes directly after everybody else equally often, so that what one leaves behind for the
    next (caches, heat, threads that spin) burdens all alike.  Who has which part, and the order of the pairs, are
    random and new in each cycle.

    Sources: Williams, Experimental designs balanced for the estimation of residual effects of treatments, Australian
    J. Sci. Res. A 2 (1949); Box, Hunter, Hunter, Statistics for Experimenters (2005), ch. 4.
    """
    m = len(contestants)
    pairs = max(m if m % 2 else m // 2, 1)  # for an even m the other half of the square is this half backwards
    cycle, pair = divmod(round_ // 2, pairs)
    draw = random.Random(f"{seed}/{cycle}")
    parts = list(contestants)
    draw.shuffle(parts)
    shift = draw.sample(range(pairs), pairs)[pair]
    backwards = draw.sample([0, 1] * pairs, pairs)[pair]
    row = [parts[(place + shift) % m] for place in _zigzag(m)]
    return row[::-1] if (round_ + backwards) % 2 else row


def _zigzag(m: int) -> list[int]:
    """0, m-1, 1, m-2, ...: the differences of neighbours are all different, modulo m, for an even m."""
    return [place // 2 if place % 2 == 0 else m - (place + 1) // 2 for place in range(m)]


def who_goes_on(cost_s: dict[Name, float], rounds: int, left_s: float, beside_s: float = 0.0) -> list[Name]:
    """Those who take part in the next round, given what a round of each costs and the seconds that are left.

    Everybody runs ROUNDS_AT_LEAST rounds.  After that the slowest sit out where, with them, the others would not reach
    ROUNDS_WANTED: three calls of a textbook's loop say enough, three calls of the two fastest do not.  Where not even
    the fastest would reach it, all those go on who fit.  Those who cost about as little as the cheapest go on with it.
    Nobody goes on: the race is over.  They keep their order.

    beside_s: what a round costs beside them, whoever goes on.
    """
    if rounds < ROUNDS_AT_LEAST:
        return list(cost_s)
    wanted = max(ROUNDS_WANTED - rounds, 1)
    alike = {name: cost for name, cost in cost_s.items() if cost <= ALIKE * min(cost_s.values())}
    chosen = fastest_within(cost_s, left_s / wanted - beside_s)
    if len(chosen) < len(alike):
        chosen = fastest_within(alike if chosen else cost_s, left_s - beside_s)
    return [name for name in cost_s if name in chosen]


def fastest_within(cost_s: dict[Name, float], limit_s: float) -> list[Name]:
    """As many of the fastest as cost no more than the limit together."""
    chosen: list[Name] = []
    for name in sorted(cost_s, key=cost_s.__getitem__):
        limit_s -= cost_s[name]
        if limit_s < 0:
            break
        chosen.append(name)
    return chosen
