"""k-means: what holds of every Lloyd iteration, of its seeding, and of the laws that check it."""

import importlib.util
import itertools
import math

import numpy as np
import pytest

from maths_exp.algorithms import _kmeans_problems as problems
from maths_exp.algorithms import kmeans
from maths_exp.algorithms._kmeans_dask import into_blocks, lloyd_dask
from maths_exp.algorithms._kmeans_laws import assignment, centres, enclosure, inertia
from maths_exp.algorithms.kmeans import (
    hamerly_compiled,
    lloyd_blas,
    lloyd_compiled,
    lloyd_loops,
    lloyd_vectorised,
    scikit_elkan,
    scikit_lloyd,
    where_scikit_differs,
)


def lloyd_in_blocks(X, C0, iterations):
    import dask

    return dask.compute(lloyd_dask(*into_blocks(X, C0, iterations)))[0]


def needs(module):
    return pytest.mark.skipif(importlib.util.find_spec(module) is None, reason=f"needs {module}")


OURS = [
    lloyd_loops,
    lloyd_vectorised,
    lloyd_blas,
    pytest.param(lloyd_compiled, marks=needs("numba")),
    pytest.param(hamerly_compiled, marks=needs("numba")),
    pytest.param(lloyd_in_blocks, marks=needs("dask")),
]
LIBRARY = [pytest.param(scikit_lloyd, marks=needs("sklearn")), pytest.param(scikit_elkan, marks=needs("sklearn"))]
FAST = [pytest.param(f, marks=needs("numba")) for f in (lloyd_compiled, hamerly_compiled)]


def clouds(dtype="float64", seed=0, **sizes):
    return problems.clouds(**{"n": 400, "d": 3, "k": 5} | sizes, dtype=dtype, rng=np.random.default_rng(seed))


def worst(result, inputs):
    truth = enclosure(*inputs)
    return max(assignment(result, *inputs, truth), centres(result, *inputs, truth))


@pytest.mark.parametrize("lloyd", OURS + LIBRARY)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_inertia_never_increases(lloyd, dtype):
    X, C0, _ = clouds(dtype)
    sums = [inertia(lloyd(X, C0, iterations), X, C0, iterations, None) for iterations in range(1, 9)]
    assert all(after <= before * (1 + 1e3 * np.finfo(dtype).eps) for before, after in itertools.pairwise(sums))


@pytest.mark.parametrize("lloyd", OURS + LIBRARY)
def test_one_cluster_is_the_mean(lloyd):
    X, C0, _ = clouds(k=1)
    C, labels = lloyd(X, C0, 2)
    np.testing.assert_allclose(C[0], X.mean(axis=0), rtol=1e-13, atol=1e-14)
    assert C.shape == C0.shape
    assert not labels.any()


@pytest.mark.parametrize("lloyd", OURS + LIBRARY)
def test_as_many_clusters_as_points_leave_nothing(lloyd):
    X, _, _ = clouds(n=37)
    C, labels = lloyd(X, X.copy(), 3)
    np.testing.assert_array_equal(labels, np.arange(37))
    np.testing.assert_allclose(C, X, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("lloyd", OURS)
def test_equal_points_and_an_empty_cluster_that_stays(lloyd):
    X = np.repeat([[0.0, 0.0], [4.0, 0.0]], 50, axis=0)
    C, labels = lloyd(X, np.array([[1.0, 0.0], [5.0, 0.0], [9.0, 64.0]]), 3)
    np.testing.assert_array_equal(C, [[0, 0], [4, 0], [9, 64]])
    np.testing.assert_array_equal(labels, np.repeat([0, 1], 50))


@pytest.mark.parametrize("lloyd", OURS)
def test_of_two_centres_at_the_same_distance_the_first(lloyd):
    X = np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]])  # mean 0: nothing rounds
    C, labels = lloyd(X, np.array([[-1.0], [1.0]]), 1)
    np.testing.assert_array_equal(C, [[-1], [1.5]])
    assert labels[2] == 0


@pytest.mark.parametrize("lloyd", OURS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_on_a_line(lloyd, dtype):
    inputs = clouds(dtype, n=131, d=1, k=3)
    assert worst(lloyd(*inputs), inputs) <= 1


@pytest.mark.parametrize("lloyd", OURS + LIBRARY)
@pytest.mark.parametrize("iterations", [1, 2])
def test_float32_at_full_size_is_held_tightly_for_a_few_iterations(lloyd, iterations):
    inputs = clouds("float32", n=4000, d=8, k=8, iterations=iterations)
    assert enclosure(*inputs)[1].max() < 0.1
    assert worst(lloyd(*inputs), inputs) <= 1


@pytest.mark.parametrize("lloyd", [f for f in OURS + LIBRARY if f is not lloyd_blas])
def test_far_from_the_origin_in_float32(lloyd):
    inputs = problems.far_off(n=500, d=3, k=5, dtype="float32", rng=np.random.default_rng(0))
    assert worst(lloyd(*inputs), inputs) <= 1


def test_the_matrix_product_cancels_far_from_the_origin():
    inputs = problems.far_off(n=500, d=3, k=5, dtype="float32", rng=np.random.default_rng(0))
    assert worst(lloyd_blas(*inputs), inputs) > 10


@pytest.mark.parametrize("lloyd", FAST)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("n", "d", "k"), [(3000, 2, 7), (1031, 5, 16), (2048, 16, 9), (15, 64, 3), (33, 3, 1)])
def test_fused_and_bounded_give_the_labels_of_the_plain_iteration(lloyd, dtype, n, d, k):
    X, C0, _ = clouds(dtype, n=n, d=d, k=k)
    C, labels = lloyd(X, C0, 3)
    plain = lloyd_vectorised(X, C0, 3)
    np.testing.assert_array_equal(labels, plain[1])
    np.testing.assert_allclose(C, plain[0], atol=1e3 * np.finfo(dtype).eps)
    assert C.dtype == X.dtype


@needs("numba")
def test_bounds_hold_over_many_iterations_on_separate_clusters():
    X, C0, _ = problems.unequal(n=3000, dtype="float64", rng=np.random.default_rng(3))
    np.testing.assert_array_equal(hamerly_compiled(X, C0, 60)[1], lloyd_compiled(X, C0, 60)[1])


@needs("dask")
def test_dask_in_blocks_equals_in_memory():
    inputs = clouds(n=1003)
    C, labels = lloyd_in_blocks(*inputs)
    np.testing.assert_allclose(C, lloyd_blas(*inputs)[0], rtol=1e-12)
    np.testing.assert_array_equal(labels, lloyd_blas(*inputs)[1])


@needs("sklearn")
@pytest.mark.parametrize("library", [scikit_lloyd, scikit_elkan])
def test_scikit_learn_agrees(library):
    inputs = clouds()
    C, labels = library(*inputs)
    np.testing.assert_allclose(C, lloyd_vectorised(*inputs)[0], rtol=1e-11, atol=1e-13)
    np.testing.assert_array_equal(labels, lloyd_vectorised(*inputs)[1])


def test_scikit_learn_is_skipped_where_it_would_move_an_empty_cluster():
    X, C0, iterations = clouds()
    assert where_scikit_differs(X, C0, iterations) is None
    assert "empty" in str(where_scikit_differs(X, np.vstack([C0, [[99.0, 99.0, 99.0]]]), iterations))
    assert "as many points" in str(where_scikit_differs(X[:3], C0, iterations))


def test_seeding_keeps_its_promise_on_average_and_uniform_seeds_do_not():
    k, rng = 8, np.random.default_rng(1)
    middles = 100 * rng.standard_normal((k, 2))
    cloud = rng.choice(k, size=800, p=[0.93] + [0.01] * 7)
    X = middles[cloud] + rng.standard_normal((800, 2))

    def potential(C):
        return ((X[:, None] - C) ** 2).sum(axis=2).min(axis=1).sum()

    promise = 8 * (math.log(k) + 2) * potential(middles)  # Arthur, Vassilvitskii (2007), theorem 3.1
    assert np.mean([potential(problems.plus_plus(X, k, rng)) for _ in range(50)]) <= promise
    assert np.mean([potential(X[rng.choice(800, k, replace=False)]) for _ in range(50)]) > promise


def test_seeds_are_drawn_in_proportion_to_squared_distance():
    X = np.array([[0.0]] * 100 + [[1.0], [3.0]])  # from 0: 1 and 9 parts of 10, and never a point already there
    rng = np.random.default_rng(0)
    second = [C[1, 0] for C in (problems.plus_plus(X, 2, rng) for _ in range(2000)) if C[0, 0] == 0]
    assert 0.0 not in second
    assert abs(np.mean(np.equal(second, 3.0)) - 0.9) < 5 * math.sqrt(0.9 * 0.1 / len(second))


def test_seeds_of_equal_points_are_these_points():
    np.testing.assert_array_equal(problems.plus_plus(np.ones((4, 2)), 3, np.random.default_rng(0)), np.ones((3, 2)))


def one_label(C, labels):
    labels[7] = (labels[7] + 1) % len(C)


def unknown_label(C, labels):
    labels[7] = len(C)


def one_centre(C, labels):
    C[2, 1] += 1e-3


def not_a_number(C, labels):
    C[0, 0] = np.nan


@pytest.mark.parametrize("sabotage", [one_label, unknown_label, one_centre, not_a_number])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_sabotaged_result_breaks_a_law(sabotage, dtype):
    inputs = clouds(dtype)
    C, labels = (a.copy() for a in lloyd_vectorised(*inputs))
    truth = enclosure(*inputs)
    assert worst((C, labels), inputs) <= 1
    sabotage(C, labels)
    errors = assignment((C, labels), *inputs, truth), centres((C, labels), *inputs, truth)
    assert not all(error <= 1 for error in errors)


@pytest.mark.parametrize("iterations", [9, 11])
def test_one_iteration_more_or_less_breaks_a_law(iterations):
    X, C0, _ = inputs = clouds(n=2000, k=9)
    assert not worst(lloyd_vectorised(X, C0, iterations), inputs) <= 1


def test_labels_of_the_centres_before_break_a_law():
    X, C0, _ = clouds(n=2000, k=9)
    stale = lloyd_vectorised(X, C0, 2)[0], lloyd_vectorised(X, C0, 1)[1]
    assert not worst(stale, (X, C0, 2)) <= 1


def test_every_disturbed_run_stays_inside_the_enclosure():
    """The radius is a theorem: runs whose near ties and means are disturbed must not leave it."""
    X, C0, iterations = inputs = clouds("float32", n=300)
    C, radius = enclosure(*inputs)
    rng = np.random.default_rng(5)
    for _ in range(20):
        run = C0.astype(np.float64)
        for _ in range(iterations):
            D2 = ((X[:, None].astype(np.float64) - run) ** 2).sum(axis=2)
            D2 *= 1 + 1e-7 * rng.uniform(-1, 1, D2.shape)
            labels = D2.argmin(axis=1)
            run = np.array([X[labels == j].mean(axis=0, dtype=np.float64) for j in range(len(C))])
            run = run.astype(np.float32).astype(np.float64)
        assert (np.linalg.norm(run - C, axis=1) <= radius).all()


def test_the_cost_of_the_loops_counts_their_operations():
    class Counted(float):
        count = 0

        def __lt__(self, other):
            Counted.count += 1
            return float(self) < float(other)

    def counted(operation):
        def method(self, other):
            Counted.count += 1
            return Counted(operation(float(self), float(other)))

        return method

    for name in ("__add__", "__radd__", "__sub__", "__mul__", "__truediv__"):
        setattr(Counted, name, counted(getattr(float, name)))
    X, C0, iterations = clouds(n=11, d=2, k=3, iterations=2)
    counted = np.array([[Counted(a) for a in x] for x in X.tolist()], dtype=object)
    start = np.array([[Counted(a) for a in c] for c in C0.tolist()], dtype=object)
    lloyd_loops(counted, start, iterations)
    comparisons_saved = (iterations + 1) * len(X)  # the first centre is compared with nothing
    expected = kmeans.EXPERIMENT.implementations[0].cost(X, C0, iterations).flops
    assert expected == Counted.count + comparisons_saved


@needs("sklearn")
@needs("PIL")
def test_the_photograph_keeps_its_shape_and_is_recognised():
    X, C0, _ = problems.photograph(colours=4, stride=20, dtype="float32", rng=np.random.default_rng(0))
    assert problems.image_shape(X) == (22, 32)
    assert X.shape == (22 * 32, 3)
    assert X.dtype == C0.dtype == np.float32
    assert problems.image_shape(clouds()[0]) is None
