"""Matrix products of the engine: exact on whole numbers, at every edge of its tiles, whatever the layout."""

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine is compiled")

from dl_exp.engine import tile
from dl_exp.engine.product import K_BLOCK, product
from exp_core.vector.registers import registers

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


def whole(rng, *shape):
    """Small whole numbers: their products and sums are exact in any order."""
    return rng.integers(-4, 5, shape)


def multiplied(a, b, dtype, start=None):
    """a b by the engine, added to start if there is one."""
    panel = np.full((K_BLOCK, tile.columns(np.dtype(dtype).itemsize)), np.nan, dtype)
    c = np.full((a.shape[0], b.shape[1]), np.nan, dtype) if start is None else start.astype(dtype)
    product(a, b, c, start is not None, panel)
    return c


@DTYPES
def test_every_edge(dtype):
    """One less, equal, one more: than the rows of a tile, a vector, half a tile, a tile, a block of k."""
    rng = np.random.default_rng(0)
    columns = tile.columns(np.dtype(dtype).itemsize)
    lanes = registers().lanes(np.dtype(dtype).itemsize)
    for m in (1, tile.ROWS - 1, tile.ROWS, tile.ROWS + 1, 2 * tile.ROWS + 5):
        for n in {1, lanes - 1, lanes, lanes + 1, columns // 2, columns // 2 + 1, columns - 1, columns, columns + 1}:
            for k in (1, 2, K_BLOCK - 1, K_BLOCK, K_BLOCK + 1):
                a, b = whole(rng, m, k), whole(rng, k, n)
                np.testing.assert_array_equal(multiplied(a.astype(dtype), b.astype(dtype), dtype), a @ b)


@DTYPES
@pytest.mark.parametrize("size", [(7, 5, 3), (6, 64, 128), (13, 131, 67)])
def test_every_layout_and_addition(dtype, size):
    m, k, n = size
    rng = np.random.default_rng(1)
    a, b, start = whole(rng, m, k), whole(rng, k, n), whole(rng, m, n)
    for one in (a.astype(dtype), np.asfortranarray(a.astype(dtype)), np.repeat(a, 2, 1).astype(dtype)[:, ::2]):
        for other in (b.astype(dtype), np.asfortranarray(b.astype(dtype)), np.repeat(b, 2, 0).astype(dtype)[::2]):
            np.testing.assert_array_equal(multiplied(one, other, dtype), a @ b)
            np.testing.assert_array_equal(multiplied(one, other, dtype, start), start + a @ b)


@DTYPES
def test_a_part_of_a_wider_array_is_written_and_nothing_else(dtype):
    rng = np.random.default_rng(2)
    a, b = whole(rng, 11, 9), whole(rng, 9, 35)
    wide = np.full((11, 50), 7.0, dtype)
    panel = np.empty((K_BLOCK, tile.columns(np.dtype(dtype).itemsize)), dtype)
    product(a.astype(dtype), b.astype(dtype), wide[:, 8:43], False, panel)
    np.testing.assert_array_equal(wide[:, 8:43], a @ b)
    assert (wide[:, :8] == 7).all()
    assert (wide[:, 43:] == 7).all()


def test_what_is_no_number_stays_so():
    a, b = np.ones((7, 3), np.float32), np.ones((3, 70), np.float32)
    a[2, 1], b[0, 66] = np.nan, np.inf
    c = multiplied(a, b, "float32")
    assert np.isnan(c[2]).all()
    assert np.isinf(np.delete(c, 2, 0)[:, 66]).all()
    assert (np.delete(np.delete(c, 2, 0), 66, 1) == 3).all()


def test_a_wrong_sum_is_seen():
    """Sabotage: the comparison of these tests fails where one row of b is left out."""
    a, b = whole(np.random.default_rng(3), 6, 5) + 9, whole(np.random.default_rng(4), 5, 64) + 9
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(multiplied(a[:, :4].astype("float32"), b[:4].astype("float32"), "float32"), a @ b)
