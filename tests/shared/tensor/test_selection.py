"""Reading by index, mask and rank: the same as NumPy's own on both libraries, and never beyond the end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from exp_core.tensor import dtype_name, from_numpy, one_hot, select, take, take_along_axis, to_numpy, top_k

DTYPES = ["float64", "float32", "int64", "int32", "uint8", "bool"]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from([(1,), (7,), (3, 5), (2, 3, 5)]),
    picks=st.sampled_from([(), (0,), (4,), (2, 3)]),
)
def test_take(case, seed, shape, picks):
    rng = np.random.default_rng(seed)
    x = case.array(rng.normal(size=shape))
    for axis in range(-len(shape), len(shape)):
        indices = rng.integers(-shape[axis], shape[axis], picks)
        y = take(x, from_numpy(indices, case.arrays), axis)
        assert dtype_name(y) == case.dtype
        assert np.array_equal(case.exact(y), np.take(case.exact(x), indices, axis))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shape=st.sampled_from([(1,), (7,), (3, 5)]))
def test_take_along_axis(case, seed, shape):
    rng = np.random.default_rng(seed)
    x = case.array(rng.normal(size=shape))
    for axis in range(len(shape)):
        indices = rng.integers(-shape[axis], shape[axis], shape)
        y = take_along_axis(x, from_numpy(indices, case.arrays), axis)
        assert np.array_equal(case.exact(y), np.take_along_axis(case.exact(x), indices, axis))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from([(0,), (1,), (7,), (3, 5), (2, 3, 5)]),
    share=st.sampled_from([0, 0.5, 1]),
)
def test_select(case, seed, shape, share):
    rng = np.random.default_rng(seed)
    x = case.array(rng.normal(size=shape))
    for leading in range(1, len(shape) + 1):
        mask = rng.random(shape[:leading]) < share
        y = select(x, from_numpy(mask, case.arrays))
        assert dtype_name(y) == case.dtype
        assert np.array_equal(case.exact(y), case.exact(x)[mask])


@settings(max_examples=40, deadline=None)
@given(
    rows=hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 3), st.integers(1, 13)),
        elements=st.sampled_from([-np.inf, -2, -0.0, 0, 1, 7, np.inf]),
    ),
    k=st.integers(0, 13),
)
def test_top_k_is_a_stable_sort(case, rows, k):
    k = min(k, rows.shape[1])
    x = case.array(rows)
    values, indices = top_k(x, k)
    by_rank = np.array([sorted(range(rows.shape[1]), key=lambda i: (-row[i], i))[:k] for row in rows], int).reshape(
        len(rows), k
    )
    assert dtype_name(indices) == "int64"
    assert dtype_name(values) == case.dtype
    assert np.array_equal(to_numpy(indices), by_rank)  # ties: the lower index first
    assert np.array_equal(case.exact(values), np.take_along_axis(rows, by_rank, 1))
    turned, _ = top_k(from_numpy(rows.T.astype("float32"), case.arrays), k, axis=0)
    assert np.array_equal(np.asarray(to_numpy(turned)), np.take_along_axis(rows, by_rank, 1).T)


def test_the_order_of_ties_would_show():
    """NumPy's reversed sort, as often written, puts the higher index first."""
    x = np.array([1.0, 3.0, 3.0])
    assert top_k(x, 2)[1].tolist() == [1, 2] != np.argsort(x, kind="stable")[::-1][:2].tolist()


def test_top_k_counts_nan_as_largest(case):
    values, indices = top_k(case.array([1.0, np.nan, np.inf, np.nan]), 3)
    assert to_numpy(indices).tolist() == [1, 3, 2]
    assert np.array_equal(case.exact(values), [np.nan, np.nan, np.inf], equal_nan=True)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64", "bool"])
def test_top_k_of_integers(library, dtype):
    ends = [False, True] if dtype == "bool" else [np.iinfo(dtype).min, np.iinfo(dtype).max]
    x = np.array([ends[1], ends[0], ends[0], ends[1]], dtype)
    values, indices = top_k(from_numpy(x, library), 3)
    assert to_numpy(indices).tolist() == [0, 3, 1]
    assert np.array_equal(to_numpy(values), x[[0, 3, 1]])


@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3)])
def test_one_hot(case, shape):
    k = np.random.default_rng(3).integers(0, 7, shape)
    y = one_hot(from_numpy(k, case.arrays), 7, case.dtype)
    assert dtype_name(y) == case.dtype
    assert np.array_equal(case.exact(y), np.eye(7)[k])


@pytest.mark.parametrize("dtype", DTYPES)
def test_other_types_are_moved_as_they_are(library, dtype):
    x = np.array([3, 1, 0, 1]).astype(dtype)
    y = take(from_numpy(x, library), from_numpy(np.array([0, -1]), library))
    assert dtype_name(y) == dtype
    assert np.array_equal(to_numpy(y), x[[0, -1]])


def test_indices_beyond_the_end(library):
    x = from_numpy(np.arange(6, dtype="float32").reshape(2, 3), library)
    for wrong in (2, -3, 10**6, -(10**9)):
        with pytest.raises(IndexError, match=f"index {wrong} is out of range: -2 to 1 are allowed"):
            take(x, from_numpy(np.array([0, wrong]), library))
        with pytest.raises(IndexError, match=f"index {wrong} is out of range"):
            take_along_axis(x, from_numpy(np.full((1, 3), wrong), library), 0)
    with pytest.raises(IndexError, match="0 to 3 are allowed"):
        one_hot(from_numpy(np.array([4]), library), 4)
    with pytest.raises(IndexError, match="0 to 3 are allowed"):
        one_hot(from_numpy(np.array([-1]), library), 4)
    with pytest.raises(IndexError, match="out of range"):
        take(x, from_numpy(np.array([2**64 - 1], "uint64"), library))
    with pytest.raises(IndexError, match="axis 2"):
        take(x, from_numpy(np.array([0]), library), 2)
    with pytest.raises(IndexError, match="out of range"):
        take(x[:, :0], from_numpy(np.array([0]), library), 1)


def test_what_is_refused(library):
    x = from_numpy(np.arange(6, dtype="float32").reshape(2, 3), library)
    with pytest.raises(TypeError, match="indices must be integers, not float32"):
        take(x, x)
    with pytest.raises(TypeError, match="indices must be integers, not bool"):
        take(x, from_numpy(np.array([True]), library))
    with pytest.raises(TypeError, match="mask must be boolean, not float32"):
        select(x, x)
    with pytest.raises(ValueError, match="does not fit"):
        select(x, from_numpy(np.array([True, False, True]), library))
    for k in (-1, 4):
        with pytest.raises(ValueError, match=f"k = {k} is not between 0 and 3"):
            top_k(x, k)
    with pytest.raises(IndexError, match="axis"):
        top_k(x, 1, 5)
