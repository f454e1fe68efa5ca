"""The largest entry of a row: at every place, at every length, beside what is not a number."""

import numpy as np
import pytest

pytest.importorskip("numba", reason="compiled functions need numba")

from exp_core.vector.largest import BLOCK, largest

LENGTHS = [1, 2, 7, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 5]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("length", LENGTHS)
def test_it_is_found_wherever_it_stands(length, dtype):
    row = -1 - np.random.default_rng(length).random(length).astype(dtype)
    for place in range(length):
        one = row.copy()
        one[place] = -0.5
        assert largest(one) == -0.5


@pytest.mark.parametrize("length", LENGTHS)
def test_infinities_and_the_smallest_numbers(length):
    row = np.full(length, -np.inf, np.float32)
    assert largest(row) == -np.inf
    row[-1] = -np.float32(1e-45)
    assert largest(row) == row[-1]
    row[length // 2] = np.inf
    assert largest(row) == np.inf


@pytest.mark.parametrize("length", LENGTHS)
def test_what_is_not_a_number_loses_no_bound(length):
    """Some entry of the row: itself NaN, or one of the others."""
    row = np.arange(length, dtype=np.float32)
    row[length // 2] = np.nan
    assert any(np.array_equal(largest(row), entry, equal_nan=True) for entry in row)
