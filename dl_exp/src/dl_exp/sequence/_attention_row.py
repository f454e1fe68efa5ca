"""The online step for a tile of scores: to weights, and what was summed before to the new maximum."""

from __future__ import annotations

import math

from exp_core.compiled import REORDER, njit
from exp_core.vector import exp
from exp_core.vector.largest import largest_of_block
from exp_core.vector.own import elementwise, like, select


@njit
def soften(scores, sums, m, total, shrink, rows):
    """Scores to weights in place; the first rows of sums, m and total come along; shrink: workspace of m's shape.

    A row whose keys are all hidden has the maximum minus infinity, and is shifted by nothing.
    """
    for i in range(rows):
        larger = max(m[i], largest_of_block(scores[i]))
        shrink[i] = m[i] - visible(larger)
        m[i] = larger
    _exponentials(shrink)
    for i in range(rows):
        _scale(sums[i], shrink[i])
        total[i] = total[i] * shrink[i] + _weights(scores[i], visible(m[i]))


@elementwise
def visible(m: float) -> float:
    """m, or 0 for minus infinity."""
    return select(m == like(m, -math.inf), like(m, 0), m)


@njit(fastmath=REORDER)
def _weights(scores, m):
    """$e^{score - m}$ in place; their sum."""
    total = m - m
    for j in range(scores.size):
        weight = exp(scores[j] - m)
        scores[j] = weight
        total += weight
    return total


@njit(fastmath=REORDER)
def _exponentials(x):
    for j in range(x.size):
        x[j] = exp(x[j])


@njit(fastmath=REORDER)
def _scale(x, factor):
    for j in range(x.size):
        x[j] *= factor
