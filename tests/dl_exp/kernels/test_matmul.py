"""The matrix product's kernels: every barrier, sizes that are no multiples of a tile, all dtypes."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from kernel_checks import assert_every_barrier_matters, needs_a_compiler

from dl_exp.emulator import emulating
from dl_exp.kernels import _matmul_kernel as kernels
from dl_exp.kernels import matmul

pytestmark = needs_a_compiler

KERNELS = {
    kernels.entry_kernel: kernels.ENTRY,
    kernels.tiled_kernel: kernels.TILED,
    kernels.register_kernel: kernels.REGISTERS,
    kernels.simdgroup_kernel: kernels.SIMDGROUP,
}
everyone = pytest.mark.parametrize(
    ("function", "language"),
    [(f, language) for f, kernel in KERNELS.items() for language in ("metal", "cuda") if kernel.body(language)],
)


def pair(m, k, n, dtype=np.float32):
    rng = np.random.default_rng(1)
    return rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)


@everyone
def test_no_barrier_is_too_many(function, language):
    """Three tiles of terms: what is written again while others still read is seen."""
    assert_every_barrier_matters(KERNELS[function], language, lambda: function(*pair(20, 40, 20)))


@everyone
@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize(
    "sizes", [(1, 1, 1), (1, 7, 1), (8, 8, 8), (16, 16, 16), (17, 31, 33), (64, 16, 64), (70, 5, 67)]
)
def test_every_size_and_dtype(function, language, dtype, sizes):
    a, b = pair(*sizes, dtype)
    with emulating(language):
        c = function(a, b)
    assert matmul.componentwise(c, a, b, matmul.exact(a, b)) <= matmul.inner_products(a, b)


@everyone
def test_no_number_spreads_over_its_row_only(function, language):
    a, b = pair(18, 9, 20)
    a[3, 4] = np.nan
    with emulating(language):
        c = function(a, b)
    assert np.isnan(c[3]).all() and np.isfinite(np.delete(c, 3, 0)).all()


def test_a_result_of_the_wrong_type_or_shape_is_wrong():
    a, b = pair(3, 4, 5)
    truth = matmul.exact(a, b)
    assert matmul.componentwise(truth, a, b, truth) == np.inf
    assert matmul.componentwise((a @ b)[:2], a, b, truth) == np.inf


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32])
def test_an_entry_that_is_off_by_a_little_more_than_its_bound_is_seen(dtype):
    """In every type: what may be lost below the normal numbers must not hide what is lost above them."""
    a, b = pair(5, 6, 7, dtype)
    truth = matmul.exact(a, b)
    size = np.abs(a.astype(float)) @ np.abs(b.astype(float))
    off = (truth + 3 * matmul.inner_products(a, b) * size).astype(dtype)
    assert matmul.componentwise(truth.astype(dtype), a, b, truth) <= matmul.inner_products(a, b)
    assert matmul.componentwise(off, a, b, truth) > matmul.inner_products(a, b)


def test_what_float16_cannot_hold_is_no_error():
    """Results among float16's denormal numbers: rounded to a multiple of 2^-24, which is more than u of them."""
    a, b = np.full((1, 1), 2.0**-10, np.float16), np.full((1, 1), 1.3 * 2.0**-10, np.float16)
    truth = matmul.exact(a, b)
    assert matmul.componentwise(truth.astype(np.float16), a, b, truth) <= matmul.inner_products(a, b)
