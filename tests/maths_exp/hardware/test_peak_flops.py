"""Peak flops: exact answers, latency and width as the processor has them, and sabotage."""

from fractions import Fraction

import numpy as np
import pytest
from assembly import host_width, vector_width

from exp_core.machine import chains
from maths_exp.hardware import _peak_flops_problems as problems
from maths_exp.hardware import peak_flops


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("make", [problems.counting, problems.turning, problems.subnormal], ids=lambda f: f.__name__)
def test_the_answer_is_that_of_rational_numbers(make, dtype):
    """The law's closed form against steps in exact arithmetic: nothing rounds, subnormal numbers included."""
    for n in (1, 2, 7, 40):
        inputs = make(2, 3, n, dtype=dtype, rng=np.random.default_rng(n))
        x, m, b, _, _ = inputs
        exact = np.empty_like(x)
        for index, number in np.ndenumerate(x):
            y = Fraction(float(number))
            for _ in range(n):
                y = Fraction(float(m)) * y + Fraction(float(b))
            exact[index] = float(y)
            assert Fraction(float(exact[index])) == y
        assert problems.misplaced(exact, *inputs) == 0


@pytest.mark.parametrize("make", [problems.counting, problems.turning, problems.subnormal], ids=lambda f: f.__name__)
def test_one_step_too_few_and_a_flush_to_zero_are_caught(make):
    x, m, b, n, together = inputs = make(4, 5, 9, dtype="float64", rng=np.random.default_rng(0))
    good = peak_flops.numpy_steps(*inputs)
    assert problems.misplaced(good, *inputs) == 0
    assert problems.misplaced(peak_flops.numpy_steps(x, m, b, n - 1, together), *inputs) > 0
    assert problems.misplaced(np.where(abs(good) < np.finfo(float).tiny, 0, good), *inputs) == (
        good.size if make is problems.subnormal else np.count_nonzero(good != good)
    )
    assert problems.misplaced(good.astype(np.float32), *inputs) == good.size
    assert problems.misplaced(good[:2], *inputs) == good.size


@pytest.mark.parametrize(("dtype", "most"), [("float32", 2**24), ("float64", 2**53)])
def test_more_steps_than_stay_whole_are_refused(dtype, most):
    with pytest.raises(ValueError, match="choose n up to"):
        problems.counting(1, 1, most // 3, dtype=dtype, rng=np.random.default_rng(0))
    problems.counting(1, 1, most // 4, dtype=dtype, rng=np.random.default_rng(0))
    x = np.array(most, dtype)
    assert x + x.dtype.type(1) == x, "beyond it, whole numbers are lost"


def test_a_product_of_matrices_is_chains():
    """The library's matrices give the closed form, for a factor of one and of minus one."""
    for make in (problems.counting, problems.turning):
        inputs = make(5, 6, 8, dtype="float64", rng=np.random.default_rng(1))
        a, b, x, last = peak_flops.as_matrices(*inputs)
        assert a.shape == (5, 8)
        assert b.shape == (8, 6)
        assert problems.misplaced(peak_flops.blas_gemm(a, b, x, last), *inputs) == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_chains_are_single_numbers_or_vectors(dtype):
    numba = pytest.importorskip("numba")
    number = numba.from_dtype(np.dtype(dtype))
    signature = (number[::1], number, number, numba.int64, numba.int64)
    assert vector_width(chains.advance, signature) == 8 * chains.vector_registers()[0] >= host_width()
    assert vector_width(chains.advance_scalars, signature) == 0
