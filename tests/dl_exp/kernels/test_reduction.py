"""Reduction: barriers, awkward lengths, what is no number, and the sums that rounding is worst for."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from kernel_checks import assert_every_barrier_matters, every_language, needs_a_compiler

from dl_exp.emulator import emulating
from dl_exp.kernels import reduction
from dl_exp.kernels._reduction_kernel import GROUPS, SIMD, THREADS, TREE, additions_met, simd_kernel, tree_kernel
from exp_core.tensor import unit_roundoff

both_kernels = pytest.mark.parametrize(
    ("kernel", "bound"), [(tree_kernel, reduction.depth_of_launches), (simd_kernel, reduction.two_launches)]
)
DTYPES = (np.float32, np.float16, ml_dtypes.bfloat16)


def uniform(n, dtype=np.float32):
    return np.random.default_rng(5).random(n).astype(dtype)


@needs_a_compiler
@every_language
@pytest.mark.parametrize(("source", "kernel"), [(TREE, tree_kernel), (SIMD, simd_kernel)])
def test_no_barrier_is_too_many(language, source, kernel):
    assert_every_barrier_matters(source, language, lambda: kernel(uniform(3 * THREADS)))


@needs_a_compiler
@every_language
@both_kernels
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 7, 8, 31, THREADS - 1, THREADS, THREADS + 1, 2 * THREADS + 3, 4099])
def test_every_length_and_dtype(language, kernel, bound, dtype, n):
    x = uniform(n, dtype)
    with emulating(language):
        s = kernel(x)
    assert reduction.relative_error(s, x, reduction.exact(x)) <= bound(x)


@needs_a_compiler
@every_language
@both_kernels
def test_what_is_no_number_stays_none(language, kernel, bound):
    x = uniform(600)
    for value in (np.nan, np.inf, -np.inf):
        x[317] = value
        with emulating(language):
            s = kernel(x)
        np.testing.assert_equal(float(s), value)


@needs_a_compiler
@every_language
def test_more_groups_than_one_launch_takes(language):
    """So many numbers that a thread of the first launch has several, and one of the second too."""
    x = np.ones(THREADS * GROUPS + 77, np.float32)
    with emulating(language):
        assert simd_kernel(x) == x.size


def test_additions_that_a_term_meets():
    assert additions_met(1) == 1 + 31 + 31
    assert additions_met(THREADS + 1) == (1 + 62) + (1 + 62)
    assert additions_met(THREADS * GROUPS * 3) == (3 + 62) + (GROUPS // THREADS + 62)


def test_a_loop_absorbs_what_a_tree_keeps():
    """Each term is at most half a unit in the last place of 1; together they are more than that."""
    (x,) = reduction.absorbing(2**16, dtype="float32", rng=None)
    truth = reduction.exact(x)
    assert reduction.left_to_right(x) == 1
    lost = reduction.relative_error(reduction.left_to_right(x), x, truth)
    assert lost > 2**15 * unit_roundoff("float32") > reduction.depth(x)
    assert reduction.relative_error(reduction.folded(x), x, truth) <= reduction.depth(x)


@pytest.mark.parametrize("n", [1, reduction.BLOCK - 1, reduction.BLOCK, reduction.BLOCK + 1, 5 * reduction.BLOCK + 3])
def test_blocks_of_every_length(n):
    pytest.importorskip("numba", reason="the compiled rung needs numba")
    x = uniform(n)
    s = reduction.blocks_compiled(x)
    assert reduction.relative_error(s, x, reduction.exact(x)) <= reduction.blocked(x)


def test_a_sum_of_the_wrong_type_is_wrong():
    x = uniform(4)
    assert reduction.relative_error(np.float64(x.sum()), x, reduction.exact(x)) == np.inf
    assert reduction.relative_error(x, x, reduction.exact(x)) == np.inf
