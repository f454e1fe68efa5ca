"""The online step for a tile of scores: to weights, and what was summed before to the new maximum."""

from __future__ import annotations

import math

from exp_core.compiled import REORDER, intrinsic, njit
from exp_core.vector import exp
from exp_core.vector.own import elementwise, like, select
from exp_core.vector.registers import Matrix


@njit
def soften(scores, sums, m, total, shrink, rows):
    """Scores to weights in place; the first rows of sums, m and total come along; shrink: workspace of m's shape.

    A row whose keys are all hidden has the maximum minus infinity, and is shifted by nothing.
    """
    for i in range(rows):
        larger = max(m[i], largest(scores[i]))
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


@intrinsic
def largest(typing, row):
    """The largest entry of a row of KEYS; of a row that holds a NaN, some entry.

    Left to itself LLVM takes the maximum of floats one by one, since it must not lose a NaN.
    """
    from dl_exp.sequence._attention_compiled import KEYS

    def emit(context, builder, signature, arguments):
        from llvmlite import ir

        def larger(x, y):
            return builder.select(builder.fcmp_ordered(">", x, y), x, y)

        matrix, index = Matrix(context, builder, row, arguments[0]), ir.IntType(32)
        vectors = [matrix.load(0, v) for v in range(KEYS // matrix.vector.count)]
        while len(vectors) > 1:
            vectors = [larger(x, y) for x, y in zip(vectors[::2], vectors[1::2], strict=True)]
        (x,) = vectors
        lanes = x.type.count
        while lanes > 1:
            lanes //= 2
            low, high = (
                builder.shuffle_vector(
                    x, x.type(ir.Undefined), ir.VectorType(index, lanes)([*range(first, first + lanes)])
                )
                for first in (0, lanes)
            )
            x = larger(low, high)
        return builder.extract_element(x, index(0))

    return row.dtype(row), emit
