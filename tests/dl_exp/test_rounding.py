"""Monte Carlo arithmetic: what it moves, by how much, and that its bounds tell rounding from mistakes."""

import numpy as np
import pytest

from dl_exp.rounding import in_float64, remembered, rounding, sampled_bounds
from exp_core.tensor import gamma, normwise_relative, unit_roundoff

U = unit_roundoff("float32")
LAWS = {"error": lambda result, *rest: normwise_relative(np.asarray(result[0], np.float64), rest[-1][0])}


def moved(x, seed=0):
    return rounding(np.asarray(x, float), "float32", np.random.default_rng(seed))


@pytest.mark.parametrize("operation", [lambda x: x + 1, lambda x: x * 3, lambda x: x / 7, np.sqrt, lambda x: x - 0.5])
def test_an_operation_is_off_by_u_and_no_more(operation):
    x = np.linspace(1, 2, 1001)
    exact, result = operation(x), np.asarray(operation(moved(x)))
    np.testing.assert_allclose(np.abs(result / exact - 1), U, rtol=1e-6)


def test_functions_are_off_by_four_ulps():
    x = np.linspace(0.1, 2, 101)
    for function in (np.exp, np.tanh, np.log1p):
        np.testing.assert_allclose(np.abs(np.asarray(function(moved(x))) / function(x) - 1), 8 * U, rtol=1e-6)


def test_what_is_exact_stays_exact():
    x = np.linspace(-1, 1, 101)
    np.testing.assert_array_equal(np.asarray(-moved(x)), -x)
    np.testing.assert_array_equal(np.asarray(np.maximum(moved(x), 0)), np.maximum(x, 0))
    np.testing.assert_array_equal(moved(x) > 0, x > 0)
    np.testing.assert_array_equal(np.asarray(moved(x)[::2].T), x[::2])


def test_products_and_sums_are_off_by_the_root_of_their_length():
    A, B = np.random.default_rng(1).standard_normal((2, 49, 49))
    error = np.abs(np.asarray(moved(A) @ moved(B)) - A @ B)
    np.testing.assert_allclose(error, gamma(7, "float32") * (np.abs(A) @ np.abs(B)), rtol=1e-6)
    error = np.abs(np.asarray(moved(A).sum(axis=1)) - A.sum(axis=1))
    np.testing.assert_allclose(error, gamma(7, "float32") * np.abs(A).sum(axis=1), rtol=1e-6)


def test_in_place_operations_write_where_they_should():
    x = moved(np.ones((3, 4)))
    part = x[1]
    part -= 0.25
    np.testing.assert_allclose(np.asarray(x), [[1] * 4, [0.75] * 4, [1] * 4], rtol=2 * U)
    assert (np.asarray(x)[1] != 0.75).any()


def test_what_is_not_known_is_refused():
    with pytest.raises(TypeError, match="not known"):
        np.add.accumulate(moved(np.ones(3)))


def product(x):
    return (np.sum((x @ x.T) ** 2, axis=1),)


@pytest.mark.parametrize("n", [1, 2, 17, 64])
def test_float32_is_within_the_bound_and_float16_is_not(n):
    x = np.random.default_rng(n).standard_normal((n, n)).astype(np.float32)
    truth = product(*in_float64((x,)))
    bound = sampled_bounds(product, (x,), LAWS, truth)["error"]
    assert LAWS["error"](product(x), x, truth) <= bound
    half = product(x.astype(np.float16).astype(np.float32) + np.float32(2**-11))
    assert LAWS["error"](half, x, truth) > bound


def test_amplification_is_seen():
    """The logistic map doubles an error each time: after 15 steps the bound is thousands of times that of one."""

    def iterated(steps):
        def run(x):
            for _ in range(steps):
                x = 4 * x * (1 - x)
            return (x,)

        return run

    x = np.random.default_rng(0).uniform(0.1, 0.9, 100).astype(np.float32)
    one, many = (sampled_bounds(f, (x,), LAWS, f(*in_float64((x,))))["error"] for f in (iterated(1), iterated(15)))
    assert many > 1000 * one
    f = iterated(15)
    assert LAWS["error"](f(x), x, f(*in_float64((x,)))) <= many


def test_a_wrong_formula_does_not_widen_its_own_bound():
    x = np.random.default_rng(0).standard_normal((9, 9)).astype(np.float32)

    def wrong(x):
        return (1.001 * product(x)[0],)

    bound = sampled_bounds(wrong, (x,), LAWS, wrong(*in_float64((x,))))["error"]
    assert LAWS["error"](wrong(x), x, product(*in_float64((x,)))) > bound


def test_remembered_works_it_out_once_for_the_same_content():
    calls = []

    @remembered
    def total(x, k):
        calls.append(k)
        return float(x.sum()) * k

    x = np.arange(5.0)
    assert total(x, 2) == total(x.copy(), 2) == 20
    assert len(calls) == 1
    assert total(x, 3) == 30
    x[0] = 1
    assert total(x, 2) == 22
    assert total(x.astype(np.float32), 2) == 22
    assert len(calls) == 4
