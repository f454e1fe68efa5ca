"""Whole numbers that take steps: inputs whose answer is known to the last bit, and what it costs to get there."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from exp_core import Cost
from exp_core.machine.chains import most_chains


def counting(
    rows: Annotated[int, "rows of numbers; each row belongs to one core at a time"] = 256,
    columns: Annotated[int, "numbers in a row"] = 224,
    n: Annotated[int, "steps that each number takes"] = 1000,
    *,
    dtype,
    rng,
):
    """Whole numbers that grow by three in each step: no step rounds, so that the answer is known to the last bit."""
    return whole_numbers(rows, columns, n, 3, 1, dtype, rng)


def turning(
    rows: Annotated[int, "rows of numbers; each row belongs to one core at a time"] = 256,
    columns: Annotated[int, "numbers in a row"] = 224,
    n: Annotated[int, "steps that each number takes"] = 1001,
    *,
    dtype,
    rng,
):
    r"""$x \leftarrow 3 - x$: an odd number of steps turns a number over, an even one leaves it as it was."""
    return whole_numbers(rows, columns, n, 3, -1, dtype, rng)


def subnormal(
    rows: Annotated[int, "rows of numbers; each row belongs to one core at a time"] = 256,
    columns: Annotated[int, "numbers in a row"] = 224,
    n: Annotated[int, "steps that each number takes"] = 1000,
    *,
    dtype,
    rng,
):
    """The same whole numbers times the smallest number that there is: exact too, if nobody takes them for zero."""
    x, m, b, n, together = whole_numbers(rows, columns, n, 3, 1, dtype, rng)
    smallest = np.finfo(dtype).smallest_subnormal
    return x * smallest, m, b * smallest, n, together


def whole_numbers(rows, columns, n, step, m, dtype, rng):
    """Numbers below 1000 that stay whole: the largest that a dtype holds exactly must not be passed."""
    largest = 2 ** (np.finfo(dtype).nmant + 1)
    if 1000 + abs(step) * n > largest:
        raise ValueError(f"n = {n} steps pass the largest whole number of {dtype}: choose n up to {largest // 4}")
    x = rng.integers(0, 1000, (rows, columns)).astype(dtype)
    return x, x.dtype.type(m), x.dtype.type(step), n, chains_here()


def chains_here():
    """How many chains stay in registers; where Numba is not installed nobody asks for more than one."""
    try:
        return most_chains()
    except ModuleNotFoundError:
        return 1


def misplaced(result, x, m, b, n, together):
    """How many numbers are not exactly $m^n x + b (1 + m + ... + m^{n-1})$."""
    exact = x + n * b if m == 1 else (b - x if n % 2 else x)  # no rounding anywhere: see whole_numbers
    if np.shape(result) != x.shape or result.dtype != x.dtype:
        return float(x.size)
    return float(np.count_nonzero(~(result == exact)))


def exactly(x, m, b, n, together):
    """Not one may be wrong."""
    return 0.0


def cost(x, m, b, n, together):
    """2n operations for each number, which is read once and written once."""
    return Cost(flops=2.0 * x.size * n, bytes=2.0 * x.nbytes, memory=float(x.nbytes))


def gemm_cost(x, m, b, n, together):
    """The product, its sum with the numbers themselves, and two matrices that must be read."""
    return Cost(
        flops=2.0 * x.size * n + 2.0 * x.size,
        bytes=2.0 * x.nbytes + x.itemsize * n * sum(x.shape),
        memory=3.0 * x.nbytes,
    )
