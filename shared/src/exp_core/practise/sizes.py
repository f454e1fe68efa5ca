"""The sizes that a search tries: upward from the smallest that a problem permits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from exp_core.experiment import Problem

Sizes = dict[str, float]
FEW = (1, 2, 3)  # of one size, while the others stay as they are


def upward(problem: Problem) -> list[Sizes]:
    """Sizes up to the small ones of a problem, and its awkward ones, the smallest first.

    All whole sizes grow together through the numbers where code goes wrong: 1, 2, 3, and those around each power of
    two; each alone is 1, 2 and 3 as well.  Real-valued sizes are parameters and stay.
    """
    small = default_sizes(problem) | dict(problem.small)
    whole = whole_sizes(problem)
    grown = [_capped(small, whole, at) for at in steps(int(max((small[name] for name in whole), default=1)))]
    alone = [small | {name: few} for name in whole for few in FEW if few <= small[name]]
    awkward = [default_sizes(problem) | dict(sizes) for sizes in problem.awkward]
    return _smallest_first((*grown, *alone, *awkward, small), whole)


def onward(problem: Problem) -> Iterator[Sizes]:
    """From the small sizes towards the default ones, each time some twice as large, never even; then these."""
    small, largest = default_sizes(problem) | dict(problem.small), default_sizes(problem)
    whole = [name for name in whole_sizes(problem) if largest[name] > small[name]]
    factor = 2
    while any(factor * small[name] + 1 < largest[name] for name in whole):
        yield small | {name: min(factor * small[name] + 1, largest[name]) for name in whole}
        factor *= 2
    yield largest


def smaller(sizes: Mapping[str, float], problem: Problem) -> Iterator[Sizes]:
    """Each whole size in turn, the largest first: 1 instead, then half of it, one less, two less."""
    whole = sorted(whole_sizes(problem), key=lambda name: -sizes[name])
    for name in whole:
        value = sizes[name]
        for less in dict.fromkeys((1, value // 2, value - 1, value - 2)):
            if 1 <= less < value:
                yield dict(sizes) | {name: less}


def spread(sizes: list[Sizes], count: int) -> list[Sizes]:
    """So many of them, evenly, the first and the last included."""
    if len(sizes) <= count:
        return sizes
    return [sizes[i * (len(sizes) - 1) // (count - 1)] for i in range(count)]


def steps(largest: int) -> list[int]:
    """1 to 9, and the three numbers around each power of two, as far as the largest."""
    around = {2**k + d for k in range(4, largest.bit_length() + 1) for d in (-1, 0, 1)}
    return sorted(n for n in {*range(1, 10), *around, largest} if n <= largest)


def default_sizes(problem: Problem) -> Sizes:
    """The sizes that nobody has asked for otherwise."""
    return {size.name: size.default for size in problem.sizes}


def whole_sizes(problem: Problem) -> list[str]:
    """The names of those sizes that are whole numbers."""
    return [size.name for size in problem.sizes if size.type is int]


def _capped(small: Sizes, whole: Iterable[str], at: int) -> Sizes:
    return small | {name: min(at, small[name]) for name in whole}


def _smallest_first(found: Iterable[Sizes], whole: list[str]) -> list[Sizes]:
    """Each once, in the order of their volume."""
    distinct = {tuple(sizes.items()): sizes for sizes in found}

    def volume(sizes: Sizes) -> tuple[float, float]:
        return math.prod(sizes[name] for name in whole), sum(sizes[name] for name in whole)

    return sorted(distinct.values(), key=volume)
