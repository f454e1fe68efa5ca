"""Numbers to sort: random ones, those that a sort may find easy or hard, and those that one of them finds deadly.

Source    M. D. McIlroy, A killer adversary for quicksort, Software: Practice and Experience 29 (1999), 341-344.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from maths_exp.algorithms._sorting_textbook import SHORT

Numbers = Annotated[int, "numbers to sort"]


def random(n: Numbers = 1_000_000, *, dtype, rng):
    """Numbers between 0 and 1, or any integers: hardly two are equal."""
    if np.dtype(dtype).kind == "f":
        return (rng.random(n).astype(dtype),)
    limits = np.iinfo(dtype)
    return (rng.integers(limits.min, limits.max, n, dtype, endpoint=True),)


def nearly_sorted(n: Numbers = 1_000_000, *, dtype, rng):
    """In order but for one pair in a hundred: insertion sort does not pay for the pairs, but for how far they are."""
    x = np.arange(n).astype(dtype)
    i, j = rng.integers(0, n, (2, n // 100 + 1))
    x[i], x[j] = x[j], x[i].copy()
    return (x,)


def organ_pipes(n: Numbers = 1_000_000, *, dtype, rng):
    """Up and down again: the first and the last element of every part are its smallest."""
    return (np.minimum(np.arange(n), np.arange(n)[::-1]).astype(dtype),)


def ties(n: Numbers = 1_000_000, *, dtype, rng):
    """A few different numbers, each very often: a partition that does not stop at equals goes quadratic."""
    return (rng.integers(-3, 4, n).astype(dtype),)


def killer(n: Numbers = 1_000_000, *, dtype, rng):
    """McIlroy's adversary: each median of three turns out to be the second smallest of its part.

    It plays against `partition`: it fixes a number only when the program looks at it, as small as its earlier answers
    allow.  The first and the middle element become the smallest two; so no other is moved but the two that the
    partition itself exchanges, and the game can be played without the scans in between.
    """
    x, place = np.empty(n), list(range(n))
    low, value = 0, 0
    while n - low > SHORT:
        middle = (low + n) // 2
        x[place[low]], x[place[middle]] = value, value + 1
        place[middle], place[n - 2] = place[n - 2], place[middle]
        place[low + 1], place[n - 2] = place[n - 2], place[low + 1]
        low, value = low + 2, value + 2
    x[place[low:]] = np.arange(value, n)
    return (x.astype(dtype),)


def special(n: Numbers = 1_000_000, *, dtype, rng):
    """Not a number, infinities, both zeros, denormals and the largest numbers, in the order of chance."""
    limits = np.finfo(dtype)
    tiny = limits.smallest_subnormal
    values = [np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, tiny, -tiny, limits.max, limits.min, 1.0]
    return (rng.choice(np.array(values, dtype), n),)


def photograph(every: Annotated[int, "every n-th pixel of 427 x 640"] = 1, *, dtype, rng):
    """The brightness of a photograph's pixels: 766 different numbers, and neighbours alike."""
    from sklearn.datasets import load_sample_image

    return (load_sample_image("china.jpg").sum(axis=2, dtype=np.int64)[::every, ::every].ravel().astype(dtype),)
