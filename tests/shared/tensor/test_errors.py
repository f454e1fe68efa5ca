"""Error measures: exact values on small cases, never zero for what is not a number."""

import importlib.util
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exp_core.tensor import FORMATS, backward_error, componentwise, from_numpy, normwise_relative, orthogonality, ulp

MEASURES = [normwise_relative, componentwise, ulp]
NAN, INF = math.nan, math.inf


def test_values_by_hand(case):
    x, t = case.array([3.0, 4.5]), case.array([3.0, 4.0])
    assert normwise_relative(x, t) == pytest.approx(0.1)
    assert componentwise(x, t) == pytest.approx(0.125)
    assert ulp(x, t) == 0.5 / (8 * case.u)  # 4 <= t < 8: its last place is 4 * 2u
    for measure in MEASURES:
        assert measure(x, x) == 0


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("x", "t", "expected"),
    [
        ([NAN, 1], [1, 1], NAN),
        ([1, 1], [NAN, 1], NAN),
        ([NAN, 1], [NAN, 1], NAN),
        ([NAN], [0], NAN),
        ([NAN], [INF], NAN),
        ([INF], [NAN], NAN),
        ([INF, 1], [1, 1], INF),
        ([1, 1], [INF, 1], INF),
        ([-INF], [INF], INF),
        ([INF, 1], [INF, 1], 0),
        ([INF, INF], [INF, INF], 0),
        ([0], [0], 0),
        ([-0.0], [0], 0),
        ([], [], 0),
    ],
)
def test_what_is_not_a_number_is_never_right(case, measure, x, t, expected):
    error = measure(case.array(x), np.array(t, float))
    assert error == expected or (math.isnan(expected) and math.isnan(error)) or (expected == INF and math.isnan(error))


@pytest.mark.parametrize("measure", [normwise_relative, componentwise])
def test_a_wrong_zero_is_infinitely_wrong(case, measure):
    assert measure(case.array([1.0]), case.array([0.0])) == INF
    assert measure(case.array([0.0]), case.array([1.0])) == 1


def test_squares_neither_overflow_nor_vanish():
    for scale in (1e300, 1e-300, 5e-324):
        assert normwise_relative(np.array([3, 8]) * scale, np.array([3, 4]) * scale) == pytest.approx(0.8)


@settings(max_examples=40, deadline=None)
@given(x=st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_is_within_half_an_ulp(case, x):
    rounded = case.array([x])
    assert ulp(rounded, np.array([x])) <= 0.5
    if np.isfinite(case.exact(rounded)).all() and abs(x) <= FORMATS[case.dtype].largest * (1 - 4 * case.u):
        t, format_ = case.exact(rounded).astype(float), FORMATS[case.dtype]
        e = max(math.frexp(t[0])[1] - 1, format_.emin) if t[0] else format_.emin
        neighbour = t + math.ldexp(1.0, e - format_.precision + 1)
        assert ulp(neighbour, t, case.dtype) == 1


def test_ulps_at_zero_and_below_the_normal_numbers(case):
    tiny = FORMATS[case.dtype].smallest_subnormal
    assert ulp(np.array([3 * tiny]), np.array([0.0]), case.dtype) == 3
    assert ulp(np.array([3 * tiny]), np.array([2 * tiny]), case.dtype) == 1
    assert ulp(np.array([1.0]), np.array([0.0]), case.dtype) > 2.0**20


def test_ulps_beyond_the_largest_number(case):
    largest = FORMATS[case.dtype].largest
    if case.dtype != "float64":
        assert ulp(case.array([INF]), np.array([largest * 2])) == 0
        assert ulp(case.array([INF]), np.array([largest * (1 + case.u)])) <= 0.5
    assert ulp(case.array([INF]), np.array([largest])) == INF
    assert ulp(case.array([-INF]), np.array([largest])) == INF


def test_a_truth_wider_than_float64_counts():
    if np.finfo(np.longdouble).eps >= np.finfo(float).eps:
        pytest.skip("a long double is a double here")
    truth = np.array([1], np.longdouble) + np.longdouble(2.0**-55)
    assert ulp(np.array([1.0]), truth) == 2.0**-3
    assert componentwise(np.array([1.0]), truth) == pytest.approx(2.0**-55)


def test_complex_numbers():
    x, t = np.array([3 + 4j, 1]), np.array([3 + 0j, 1])
    assert componentwise(x, t) == pytest.approx(4 / 3)
    assert normwise_relative(x, t) == pytest.approx(4 / math.sqrt(10))
    assert math.isnan(normwise_relative(np.array([complex(NAN, 0)]), np.array([1j])))
    if importlib.util.find_spec("mlx"):
        assert componentwise(from_numpy(x.astype("complex64"), "mlx"), t) == pytest.approx(4 / 3)
    q = np.array([[1, 1j], [1j, 1]]) / math.sqrt(2)
    assert orthogonality(q) < 1e-15
    for call in (lambda: ulp(x, t), lambda: backward_error(q, x, t)):
        with pytest.raises(ValueError, match=r"complex|real"):
            call()


def test_shapes_must_agree(case):
    for measure in MEASURES:
        with pytest.raises(ValueError, match=r"shape \(2,\) cannot be compared with a truth of shape \(2, 1\)"):
            measure(case.array([1.0, 2.0]), np.ones((2, 1)))
    assert componentwise(1.5, 1.0) == 0.5
    with pytest.raises(ValueError, match="floating-point"):
        ulp(np.array([1]), np.array([1.0]))


def test_orthogonality(case):
    assert orthogonality(case.array(np.eye(3)[:, :2])) == 0
    assert orthogonality(case.array(2 * np.eye(2))) == pytest.approx(3 * math.sqrt(2))
    assert orthogonality(case.array(np.zeros((0, 3)))) == pytest.approx(math.sqrt(3))
    assert orthogonality(case.array(np.zeros((3, 0)))) == 0
    assert math.isnan(orthogonality(case.array([[NAN, 0], [0, 1]])))
    assert not orthogonality(case.array([[INF, 0], [0, 1]])) < 1e300
    with pytest.raises(ValueError, match="columns of a matrix"):
        orthogonality(case.array([1.0]))


def test_backward_error_by_hand(case):
    a, b = case.array([[2.0, 0.0], [0.0, 1.0]]), case.array([2.0, 1.0])
    assert (
        backward_error(a, case.array([1.0, 1.0]), b)
        == backward_error(a, case.array([1.0, 1.0]), b, "componentwise")
        == 0
    )
    x = case.array([1.5, 1.0])  # b - Ax = (-1, 0)
    assert backward_error(a, x, b) == pytest.approx(1 / (math.sqrt(5) * math.sqrt(3.25) + math.sqrt(5)))
    assert backward_error(a, x, b, "componentwise") == pytest.approx(1 / 5)
    both = case.array([[1.0, 1.5], [1.0, 1.0]])
    assert backward_error(a, both, case.array([[2.0, 2.0], [1.0, 1.0]])) == backward_error(a, x, b)


def test_backward_error_meets_its_definition():
    """Change A by the perturbation that Rigal and Gaches construct, and x solves the changed system."""
    rng = np.random.default_rng(0)
    a, x, b = rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=4)
    eta = backward_error(a, x, b)
    r = b - a @ x
    y = x / (x @ x)
    sizes = np.linalg.norm(a), np.linalg.norm(x), np.linalg.norm(b)
    share = sizes[0] * sizes[1] / (sizes[0] * sizes[1] + sizes[2])
    da, db = share * np.outer(r, y), -(1 - share) * r
    assert np.allclose((a + da) @ x, b + db)
    assert np.linalg.norm(da) == pytest.approx(eta * sizes[0])
    assert np.linalg.norm(db) == pytest.approx(eta * sizes[2])


def test_sizes_that_overflow_do_not_hide_an_error():
    a, x = np.array([[1e200, 0.0], [0.0, 1.0]]), np.array([0.0, 1e200])
    assert not backward_error(a, x, np.array([1.0, 0.0])) < 1e-3


def test_a_stable_solver_and_an_unstable_one():
    a = np.vander(np.linspace(1, 2, 12))
    b = a @ np.ones(12)
    stable, unstable = np.linalg.solve(a, b), np.linalg.inv(a) @ b
    assert backward_error(a, stable, b) <= 12 * 2.0**-53
    assert backward_error(a, unstable, b) > 12 * 2.0**-53


@pytest.mark.parametrize("kind", ["normwise", "componentwise"])
def test_backward_error_of_what_is_not_a_number(case, kind):
    a, b = case.array(np.eye(2)), case.array([1.0, 1.0])
    for bad in (NAN, INF, -INF):
        for arguments in (
            (a, case.array([bad, 1.0]), b),
            (a, b, case.array([bad, 1.0])),
            (case.array([[bad, 0], [0, 1]]), b, b),
        ):
            assert not backward_error(*arguments, kind) < 1


def test_backward_error_refuses(library):
    a = from_numpy(np.ones((2, 3), "float32"), library)
    with pytest.raises(ValueError, match="are not those of Ax = b"):
        backward_error(a, a[0, :2], a[:, 0])
    with pytest.raises(ValueError, match="normwise"):
        backward_error(a, a[0], a[:, 0], "spectral")
    assert backward_error(a[:, :0], a[0, :0], a[:, 0]) == 1
