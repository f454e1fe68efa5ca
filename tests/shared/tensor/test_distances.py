"""Squared distances: the definition to full accuracy, the product form as accurate as it claims, and no more."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import exp_core.tensor.distances as module
from exp_core.tensor import from_numpy, squared_distances, squared_distances_expanded

SIZES = st.tuples(st.sampled_from([0, 1, 5, 17]), st.sampled_from([0, 1, 3, 13]), st.sampled_from([0, 1, 2, 31]))


def oracle(x, y):
    return np.square(x[:, None] - y[None]).sum(-1)


def sizes(x, y):
    return (np.sqrt(np.square(x).sum(-1))[:, None] + np.sqrt(np.square(y).sum(-1))[None]) ** 2


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), mnd=SIZES, centre=st.sampled_from([0, 50]))
def test_by_definition(case, seed, mnd, centre):
    m, n, d = mnd
    rng = np.random.default_rng(seed)
    x, y = (case.array(rng.normal(centre, 1, shape)) for shape in ((m, d), (n, d)))
    a, b = case.exact(x), case.exact(y)
    case.close(squared_distances(x, y), oracle(a, b), d + 2)
    case.close(squared_distances_expanded(x, y), oracle(a, b), d + 3, scale=np.abs(sizes(a, b)) + oracle(a, b))
    assert np.array_equal(case.exact(x), a)
    same = case.exact(squared_distances(x, x))
    assert (np.diag(same) == 0).all()
    assert np.array_equal(same, same.T)


def test_near_points_far_from_the_origin(wide):
    gap = 2.0**-8 if wide.dtype == "float32" else 2.0**-24
    x = wide.array([[1000.0, 1000.0], [1000.0, 1000.0 + gap]])
    truth = oracle(wide.exact(x), wide.exact(x))
    wide.close(squared_distances(x, x), truth, 4)
    assert gap**2 < wide.u * 2e6  # one unit in the last place of the squares: the product form cannot see it
    with pytest.raises(AssertionError):
        wide.close(squared_distances_expanded(x, x), truth, 4)
    assert (wide.exact(squared_distances_expanded(x, x)) >= 0).all()


def test_blocks_of_rows(case, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = case.array(rng.normal(size=(7, 3))), case.array(rng.normal(size=(5, 3)))
    whole = case.exact(squared_distances(x, y))
    for block in (1, 15, 31, 45):
        monkeypatch.setattr(module, "BLOCK", block)
        assert np.array_equal(case.exact(squared_distances(x, y)), whole)


def test_a_nan_spoils_its_row_only(case):
    x = case.array([[np.nan, 0.0], [0.0, 1.0]])
    for f in (squared_distances, squared_distances_expanded):
        assert np.array_equal(np.isnan(case.exact(f(x, case.array(np.eye(2))))), [[1, 1], [0, 0]])


@pytest.mark.parametrize("shapes", [((2, 3), (2, 2)), ((3,), (2, 3)), ((2, 3), (3,))])
def test_what_is_refused(library, shapes):
    x, y = (from_numpy(np.ones(s, "float32"), library) for s in shapes)
    for f in (squared_distances, squared_distances_expanded):
        with pytest.raises(ValueError, match="as many columns"):
            f(x, y)
