"""The blocked product: right for every block, whole or not, and bounded as any order of summation is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exp_core.tensor import blocked_matmul, from_numpy

SIZE = st.sampled_from([0, 1, 2, 7, 13])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), m=SIZE, k=SIZE, n=SIZE, block=st.sampled_from([1, 3, 7, 64]))
def test_by_definition(case, seed, m, k, n, block):
    rng = np.random.default_rng(seed)
    a, b = case.array(rng.normal(size=(m, k))), case.array(rng.normal(size=(k, n)))
    left, right = case.exact(a), case.exact(b)
    c = blocked_matmul(a, b, block=block)
    case.close(c, left @ right, k, scale=np.abs(left) @ np.abs(right))
    assert np.array_equal(case.exact(a), left)
    if k and m and n:
        size = np.abs(left) @ np.abs(right)
        with pytest.raises(AssertionError):
            case.close(case.array(case.exact(c) + 16 * case.bound(k) * size), left @ right, k, scale=size)


def test_halves_do_not_stagnate(case):
    a = case.array(np.ones((1, 1000)))
    case.close(blocked_matmul(a, a.T, block=64), [[1000]], 1)


def test_not_a_number_is_not_lost(case):
    a, b = case.array([[np.nan, 1.0], [1.0, 1.0]]), case.array([[0.0, 0.0], [np.inf, 1.0]])
    case.close(blocked_matmul(a, b, block=1), [[np.nan, np.nan], [np.inf, 1]], 2)


def test_what_is_refused(library):
    a = from_numpy(np.ones((2, 3), "float32"), library)
    with pytest.raises(ValueError, match=r"cannot multiply shapes \(2, 3\) and \(2, 3\)"):
        blocked_matmul(a, a)
    with pytest.raises(ValueError, match="at least one row"):
        blocked_matmul(a, a.T, block=0)
    with pytest.raises(TypeError, match="floating-point"):
        blocked_matmul(from_numpy(np.ones((2, 2), int), library), from_numpy(np.ones((2, 2), int), library))
