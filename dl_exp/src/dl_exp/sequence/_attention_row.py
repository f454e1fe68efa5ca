"""One row of a tile of scores: to weights, and what was summed before to the new maximum."""

from __future__ import annotations

import math

from exp_core.compiled import REORDER, njit
from exp_core.vector import exp


@njit(fastmath=REORDER)
def soften(scores, sums, m, total, i):
    """The online step of row i: scores to weights in place; sums, m[i] and total[i] come along."""
    larger = m[i]
    for j in range(scores.size):
        larger = max(larger, scores[j])
    if larger == -math.inf:  # this query has seen nothing yet
        for j in range(scores.size):
            scores[j] = 0
        return
    added = total[i] - total[i]
    for j in range(scores.size):
        weight = exp(scores[j] - larger)
        scores[j] = weight
        added += weight
    if larger > m[i]:
        shrink = exp(m[i] - larger)
        for e in range(sums.size):
            sums[e] *= shrink
        total[i] *= shrink
        m[i] = larger
    total[i] += added
