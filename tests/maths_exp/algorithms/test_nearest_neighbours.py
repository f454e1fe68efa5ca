"""Nearest neighbours: metric laws, ties, certificates of the fused search, trees that hold what they say, sabotage."""

import importlib.util

import numpy as np
import pytest
from assembly import COMPARISONS, host_width, vector_width

from exp_core.tensor import gamma
from exp_core.vector.registers import registers
from maths_exp.algorithms import _nearest_neighbours_compiled as compiled
from maths_exp.algorithms import _nearest_neighbours_problems as problems
from maths_exp.algorithms import _nearest_neighbours_trees as trees
from maths_exp.algorithms import nearest_neighbours as nn
from maths_exp.algorithms._nearest_neighbours_laws import distances, nearest, none_nearer

needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="needs numba")
COMPILED = [pytest.param(f, marks=needs_numba) for f in (nn.brute_compiled, nn.kd_tree_compiled, nn.ball_tree_compiled)]
OURS = [nn.loops, nn.differences, nn.product, *COMPILED]


def given(name="cloud", dtype="float64", seed=0, **sizes):
    sizes = {"n": 700, "m": 41, "k": 6} | sizes
    return getattr(problems, name)(**sizes, dtype=dtype, rng=np.random.default_rng(seed))


def worst(result, inputs):
    truth = nearest(*inputs)
    return max(distances(result, *inputs, truth), none_nearer(result, *inputs, truth))


@pytest.mark.parametrize("search", OURS)
def test_a_point_is_its_own_nearest_neighbour(search):
    X, _, _ = given(d=5)
    indices, D2 = search(X, X[:50], 1)
    np.testing.assert_array_equal(indices[:, 0], np.arange(50))
    np.testing.assert_array_equal(D2, 0)


@pytest.mark.parametrize("search", OURS)
def test_asking_for_all_points_is_sorting_them(search):
    X, Q, _ = given(n=53, m=9, d=3)
    indices, D2 = search(X, Q, 53)
    assert (np.sort(indices, axis=1) == np.arange(53)).all()
    assert (np.diff(D2, axis=1) >= 0).all()


@pytest.mark.parametrize("search", OURS)
def test_equal_points_are_all_as_near(search):
    X, Q = np.full((97, 3), 0.1), np.full((5, 3), 0.35)
    inputs = X, Q, 9
    assert worst(search(*inputs), inputs) <= 1


@pytest.mark.parametrize("search", COMPILED)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [24, 25, 1024, 2311])
def test_compiled_searches_at_the_edges_of_leaves_and_tiles(search, dtype, n):
    inputs = given(dtype=dtype, n=n, m=67, d=4)
    assert worst(search(*inputs), inputs) <= 1


@pytest.mark.parametrize("search", COMPILED)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_far_from_the_origin_they_are_exact_all_the_same(search, dtype):
    inputs = given("far_off", dtype, d=6)
    assert worst(search(*inputs), inputs) <= 1


@needs_numba
def test_without_the_second_look_ties_would_be_decided_by_rounding(monkeypatch):
    """Points so close together that products cannot order them: the certificate must notice."""
    from maths_exp.algorithms import _nearest_neighbours_compiled as compiled

    rng = np.random.default_rng(0)
    X = np.concatenate([1 + 1e-9 * rng.standard_normal((400, 3)), -1 + 1e-9 * rng.standard_normal((400, 3))])
    inputs = X, X[:20] + 1e-11, 5
    assert worst(nn.brute_compiled(*inputs), inputs) <= 1
    monkeypatch.setattr(compiled, "gamma", lambda k, x: -1.0)  # every list is trusted
    assert worst(nn.brute_compiled(*inputs), inputs) > 1


@needs_numba
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_boxes_and_balls_hold_their_points(dtype):
    from maths_exp.algorithms._nearest_neighbours_planted import balls, boxes, fill, leaf_size, planted

    X, _, _ = given("surface", dtype, n=1000)
    order, points, levels = planted(X)
    assert sorted(order) == list(range(1000))
    np.testing.assert_array_equal(points, X[order])
    low, high = boxes(points, levels)
    centre, radius = balls(points, levels)
    for level in range(levels + 1):
        for p in range(1 << level):
            node, mine = (1 << level) - 1 + p, points[1000 * p >> level : 1000 * (p + 1) >> level]
            assert (low[node] == mine.min(axis=0)).all()
            assert (high[node] == mine.max(axis=0)).all()
            assert np.linalg.norm(mine - centre[node], axis=1).max() <= radius[node] * (1 + 8 * np.finfo(dtype).eps)
    leaves = np.full((1 << levels, 3, leaf_size(X)), np.inf, dtype)
    fill(points, leaves)
    held = leaves.transpose(0, 2, 1).reshape(-1, 3)
    np.testing.assert_array_equal(held[np.isfinite(held[:, 0])], points)


def swapped(indices, D2):
    indices[3, 0], indices[3, -1] = indices[3, -1], indices[3, 0]


def next_one(indices, D2):
    indices[7, -1] = (indices[7].max() + 1) % 700


def twice(indices, D2):
    indices[5, 1] = indices[5, 0]


def a_bit_farther(indices, D2):
    D2[2, 2] *= 1 + 1e-4


def not_a_number(indices, D2):
    D2[0, 0] = np.nan


@pytest.mark.parametrize("sabotage", [swapped, next_one, twice, a_bit_farther, not_a_number])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_sabotaged_result_breaks_a_law(sabotage, dtype):
    inputs = given(dtype=dtype, d=4)
    result = nn.differences(*inputs)
    truth = nearest(*inputs)
    assert worst(result, inputs) <= 1
    sabotage(*result)
    assert not all(law(result, *inputs, truth) <= 1 for law in (distances, none_nearer))


def test_products_far_off_break_the_law_of_differences():
    """Without the shift of the origin: that is what scikit-learn's brute force does."""
    pytest.importorskip("sklearn", reason="needs scikit-learn")
    inputs = given("far_off", d=6)
    assert worst(nn.scikit_brute(*inputs), inputs) > 100


def test_digits_are_classified():
    """A tenth of the votes would be right by chance; a search that returns wrong points cannot come near this."""
    pytest.importorskip("sklearn", reason="the data are scikit-learn's")
    from maths_exp.algorithms._nearest_neighbours_picture import majority

    X, Q, k = problems.digits(k=3, dtype="float64", rng=None)
    known, wanted = problems.digit_labels(X, Q)
    assert np.mean(majority(known[nn.product(X, Q, k)[0]]) == wanted) > 0.97


def test_more_neighbours_than_points_are_refused():
    with pytest.raises(ValueError, match="choose --k 4 or fewer"):
        given(n=4, k=5, d=2)


@needs_numba
@pytest.mark.parametrize("search", [nn.brute_compiled, nn.kd_tree_compiled, nn.ball_tree_compiled])
def test_threads_change_nothing(search):
    from exp_core.machine import thread_limit

    inputs = given(n=3000, m=300, d=8)
    results = []
    for threads in (1, 2):
        with thread_limit(threads) as limit:
            limit.apply()
            results.append(search(*inputs))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@needs_numba
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_which_of_a_row_are_less(dtype):
    """A bit for each, whatever the values are: equal ones and NaN are not less."""
    from numba import njit

    less, lowest = compiled.which_less.dispatcher, compiled.lowest.dispatcher

    @njit
    def lanes(tile, value):
        found, bits = [], less(tile, 1, value)
        while bits:
            found.append(lowest(bits))
            bits &= bits - np.uint64(1)
        return found

    rng = np.random.default_rng(0)
    tile = rng.integers(-2, 3, (3, planted_width(dtype))).astype(dtype)
    tile[1, :4] = np.nan, np.inf, -np.inf, 0
    for value in (0.0, -0.0, 1.0, np.inf, np.nan, -2.0, -np.inf):
        assert list(lanes(tile, np.dtype(dtype).type(value))) == list(np.flatnonzero(tile[1] < value))


def planted_width(dtype):
    from maths_exp.algorithms._nearest_neighbours_planted import leaf_size

    return leaf_size(np.empty(0, dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_of_a_tile_is_compared_as_vectors(dtype):
    numba = pytest.importorskip("numba")
    number = numba.from_dtype(np.dtype(dtype))
    less = compiled.which_less.dispatcher

    @numba.njit
    def kernel(tile, value):
        return less(tile, 0, value)

    assert vector_width(kernel, (number[:, ::1], number), COMPARISONS) >= host_width()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_points_of_a_leaf_are_measured_as_vectors(dtype):
    numba = pytest.importorskip("numba")
    number = numba.from_dtype(np.dtype(dtype))
    measured = trees.squared_distances.dispatcher

    @numba.njit
    def kernel(leaf, Q, row):
        measured(leaf, Q, 1, row)

    table = number[:, ::1]
    assert vector_width(kernel, (table, table, table)) >= host_width()
    rng = np.random.default_rng(0)
    leaf, Q = rng.standard_normal((5, planted_width(dtype))).astype(dtype), rng.standard_normal((3, 5)).astype(dtype)
    row = np.empty((1, leaf.shape[1]), dtype)
    kernel(leaf, Q, row)
    truth = ((leaf.T.astype(float) - Q[1].astype(float)) ** 2).sum(axis=1)
    np.testing.assert_allclose(row[0], truth, rtol=gamma(5 + 3, dtype))  # two differences, a product, d sums


@needs_numba
@pytest.mark.parametrize("too_small", [True, False])
def test_a_ball_that_is_too_small_loses_neighbours(monkeypatch, too_small):
    """The laws must see a bound that is none: radii halved."""
    inputs = given("surface", n=3000, m=100)
    honest = trees.balls
    monkeypatch.setattr(trees, "balls", lambda *a: (honest(*a)[0], honest(*a)[1] * (0.5 if too_small else 1.0)))
    assert (worst(nn.ball_tree_compiled(*inputs), inputs) > 1) == too_small


@pytest.mark.parametrize("n, d, k", [(1, 1, 1), (67, 3, 67), (1031, 5, 4)])
def test_what_is_measured_again_is_found(n, d, k):
    """From the worst lists there are, the k farthest, and limits that let all through: the nearest, each once."""
    pytest.importorskip("numba")
    rng = np.random.default_rng(5)
    X, Q = rng.integers(0, 3, (n, d)).astype(float), rng.integers(0, 3, (3, d)).astype(float)
    host, origin = registers(), X.mean(axis=0)
    panels, _ = compiled.side_by_side(X, origin, host.vectors * host.lanes(X.itemsize))
    rows = compiled.with_one(Q - origin, host.rows)
    tile = np.empty((host.rows, panels.shape[2]))
    measured = ((X - Q[:, None]) ** 2).sum(axis=2)
    indices = np.argsort(measured, axis=1)[:, ::-1][:, :k].copy()[:, ::-1].copy()
    D2 = np.take_along_axis(measured, indices, 1)
    compiled.measure_again(0, 3, np.full(3, np.finfo(float).max), panels, X, Q, rows, tile, indices, D2)
    assert np.array_equal(D2, np.sort(measured, axis=1)[:, :k])
    assert np.array_equal(np.take_along_axis(measured, indices, 1), D2)
    assert all(len(set(found)) == k for found in indices.tolist())
