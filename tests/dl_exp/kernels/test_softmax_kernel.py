"""The softmax kernel: its barriers, its dtypes, awkward rows; the contract's tests hold it against the laws."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_checks import assert_every_barrier_matters, every_language, needs_a_compiler

from dl_exp.emulator import emulating
from dl_exp.kernels._softmax_kernel import SOFTMAX, THREADS, kernel
from dl_exp.kernels.softmax import BOUND, LAWS, exact
from exp_core.tensor import normal

pytestmark = needs_a_compiler


def rows_of(rows, n, dtype="float32", mean=0.0):
    return normal(np.random.default_rng(7), (rows, n), dtype, mean=mean)


@every_language
def test_no_barrier_is_too_many(language):
    assert_every_barrier_matters(SOFTMAX, language, lambda: kernel(rows_of(2, 300)))


@every_language
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 31), (2, THREADS), (2, THREADS + 1), (1, 1021)])
def test_awkward_rows_obey_every_law(language, dtype, shape):
    """Fewer than 8 scores (Metal's constant memory), one beside the group's size, primes."""
    for mean in (0.0, 200.0):
        x = rows_of(*shape, dtype, mean)
        with emulating(language):
            p = kernel(x)
        for name, law in LAWS.items():
            assert law(p, x, exact(x)) <= BOUND[name](x)


@every_language
def test_minus_infinity_has_no_probability(language):
    """A masked score; and a thread that sees nothing else must not turn inf - inf into NaN."""
    x = rows_of(1, 2 * THREADS)
    masked = [5, 5 + THREADS, 6, 7 + THREADS]  # all of a thread's scores, the first one, the last one
    x[0, masked] = -np.inf
    with emulating(language):
        p = kernel(x)
    assert not p[0, masked].any()
    np.testing.assert_allclose(p, exact(x), rtol=1e-5)
