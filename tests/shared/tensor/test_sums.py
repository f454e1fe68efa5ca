"""Cumulative and segment sums: exact in integers, bounded in floats, checked indices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exp_core.tensor import cumulative_sum, dtype_name, from_numpy, segment_sum, to_numpy


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), shape=st.sampled_from([(1,), (2, 3), (97,), (3, 11, 2)]), axis=st.integers(-1, 0)
)
def test_cumulative_sum(case, seed, shape, axis):
    x = case.array(np.random.default_rng(seed).normal(0, 3, shape))
    exact = case.exact(x)
    s = cumulative_sum(x, axis)
    truth, size = exact.cumsum(axis), np.abs(exact).cumsum(axis)
    case.close(s, truth, shape[axis], scale=size)
    assert np.array_equal(case.exact(x), exact)
    with pytest.raises(AssertionError):
        case.close(case.array(case.exact(s) + size / 2), truth, shape[axis], scale=size)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.sampled_from([0, 1, 7, 101]),
    count=st.integers(1, 9),
    rest=st.sampled_from([(), (3,)]),
)
def test_segment_sum(case, seed, n, count, rest):
    rng = np.random.default_rng(seed)
    x, segments = case.array(rng.normal(0, 3, (n, *rest))), rng.integers(0, count, n)
    one_hot = (segments[:, None] == np.arange(count)).astype(np.longdouble)
    exact = case.exact(x)
    truth = np.tensordot(one_hot, exact, (0, 0))
    s = segment_sum(x, from_numpy(segments, case.arrays), count)
    case.close(s, truth, n, scale=np.tensordot(one_hot, np.abs(exact), (0, 0)))
    assert np.array_equal(case.exact(x), exact)


def test_halves_do_not_stagnate(case):
    x = case.array(np.ones(5000))
    case.close(cumulative_sum(x)[-1:], [5000], 1)
    case.close(segment_sum(x, from_numpy(np.zeros(5000, int), case.arrays), 1), [5000], 1)


@pytest.mark.parametrize(
    ("dtype", "wide"), [("int32", "int64"), ("int8", "int64"), ("uint8", "uint64"), ("bool", "int64")]
)
def test_integers_are_summed_in_64_bits(library, dtype, wide):
    largest = 1 if dtype == "bool" else np.iinfo(dtype).max
    x = from_numpy(np.full(9, largest).astype(dtype), library)
    s = cumulative_sum(x)
    assert dtype_name(s) == wide
    assert to_numpy(s).tolist() == [largest * i for i in range(1, 10)]
    t = segment_sum(x, from_numpy(np.arange(9) % 2, library), 3)
    assert dtype_name(t) == wide
    assert to_numpy(t).tolist() == [5 * largest, 4 * largest, 0]


def test_a_nan_stays_in_its_segment(case):
    x = case.array([1.0, np.nan, 2.0, np.inf])
    case.close(segment_sum(x, from_numpy(np.array([0, 1, 0, 2]), case.arrays), 4), [3, np.nan, np.inf, 0], 2)
    case.close(cumulative_sum(x), [1, np.nan, np.nan, np.nan], 2)


def test_what_is_refused(library):
    x = from_numpy(np.ones((4, 2), "float32"), library)
    for wrong in ([0, 1, 2, 3], [0, 0, 0, -1]):
        with pytest.raises(IndexError, match="0 to 2 are allowed"):
            segment_sum(x, from_numpy(np.array(wrong), library), 3)
    with pytest.raises(ValueError, match="segments must have shape"):
        segment_sum(x, from_numpy(np.zeros(3, int), library), 3)
    with pytest.raises(IndexError, match="axis"):
        cumulative_sum(x, 2)
    with pytest.raises(TypeError, match="no accumulator for complex64"):
        cumulative_sum(from_numpy(np.ones(3, "complex64"), library))
    assert cumulative_sum(x[:0], 0).shape == (0, 2)
    assert segment_sum(x[:0], from_numpy(np.zeros(0, int), library), 0).shape == (0, 2)
