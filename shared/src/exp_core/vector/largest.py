"""The largest entry of a row, in vector registers.

Left to itself LLVM takes the maximum of floats one by one, since it must not lose a NaN.  Who only wants a number to
shift by may lose it: what is computed from the row itself will be NaN.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from exp_core.compiled import intrinsic, njit
from exp_core.vector.registers import Matrix

BLOCK = 64


@njit
def largest(row):
    """The largest entry of a contiguous row of one or more; of a row that holds a NaN, some entry."""
    m = row[0]
    whole = row.size // BLOCK * BLOCK
    for j in range(0, whole, BLOCK):
        part = largest_of_block(row[j : j + BLOCK])
        m = part if part > m else m
    for j in range(whole, row.size):
        m = row[j] if row[j] > m else m
    return m


@intrinsic
def largest_of_block(typing, row):
    """The same of a row of BLOCK entries: nobody looks how many it has."""

    def emit(context, builder, signature, arguments):
        from llvmlite import ir

        def larger(x, y):
            return builder.select(builder.fcmp_ordered(">", x, y), x, y)

        matrix, index = Matrix(context, builder, row, arguments[0]), ir.IntType(32)
        vectors = [matrix.load(0, v) for v in range(BLOCK // matrix.vector.count)]
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
