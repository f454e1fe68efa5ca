"""Logistic regression: minima known otherwise, derivatives by differences, laws of the methods, checks that bite."""

import numpy as np
import pytest
from assembly import host_width, vector_width

from exp_core.machine import thread_limit
from maths_exp.algorithms import _logistic_regression_problems as problems
from maths_exp.algorithms import logistic_regression as experiment
from maths_exp.algorithms._logistic_regression_costs import SEEN, descent_foretold
from maths_exp.algorithms._logistic_regression_laws import gradient, gradient_norm, within_tolerance

ROWS = {row.name: row for row in experiment.EXPERIMENT.implementations}
every_method = pytest.mark.parametrize("name", ROWS)


def run(name, inputs):
    row = ROWS[name]
    for module in row.modules:
        pytest.importorskip(module)
    return row.function(*(row.prepare(*inputs) if row.prepare else inputs))


def given(make=problems.overlapping, rows=200, columns=4, strength=0.05, tolerance=1e-9, seed=0):
    return make(rows, columns, strength, tolerance, dtype="float64", rng=np.random.default_rng(seed))


@every_method
def test_one_column_of_ones_is_solved_by_a_scalar_equation(name):
    """p of the rows are 1: with b the only weight, $\\sigma(b) - p + \\lambda b = 0$; found here by bisection."""
    lam, y = 0.03, np.where(np.arange(40) < 29, 1.0, -1.0)
    low, high = 0.0, 10.0
    for _ in range(100):
        b = (low + high) / 2
        low, high = (b, high) if 1 / (1 + np.exp(-b)) - 29 / 40 + lam * b < 0 else (low, b)
    w, _ = run(name, (np.ones((40, 1)), y, lam, 1e-11))
    assert abs(w[0] - b) <= 1e-11 / lam + 1e-14  # strong convexity: the gradient over lambda


@every_method
def test_labels_turned_over_turn_w_over(name):
    X, y, lam, tolerance = given()
    w, other = run(name, (X, y, lam, tolerance))[0], run(name, (X, -y, lam, tolerance))[0]
    assert np.linalg.norm(w + other) <= 2 * tolerance / lam


@every_method
@pytest.mark.parametrize("make", [problems.overlapping, problems.separable])
def test_all_find_the_one_minimum(name, make):
    """Whatever way leads there: the ball of radius tolerance / lambda around it has room for all."""
    X, y, lam, _ = inputs = given(make, tolerance=1e-6)  # of less, scikit-learn's L-BFGS may fall short
    best = run("newton", (X, y, lam, 1e-13))[0]
    assert np.linalg.norm(run(name, inputs)[0] - best) <= (within_tolerance(*inputs) + 1e-13) / lam


def test_the_gradient_is_that_of_the_loss_and_the_weights_that_of_the_gradient():
    """Central differences: their own error is of the order of h^2 and u / h."""
    X, y, lam, _ = given()
    rng = np.random.default_rng(1)
    w, p, h = rng.standard_normal(4), rng.standard_normal(4), 1e-5

    def at(step):
        return experiment.loss_gradient_weights(X, y, lam, w + step * p)

    _, g, s = at(0)
    np.testing.assert_allclose(g, gradient(X, y, lam, w), rtol=1e-13)
    np.testing.assert_allclose((at(h)[0] - at(-h)[0]) / (2 * h), g @ p, rtol=1e-8)
    H = (X.T * s) @ X / len(y) + lam * np.eye(4)
    np.testing.assert_allclose((at(h)[1] - at(-h)[1]) / (2 * h), H @ p, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (256, 4), (257, 7), (16387, 9)])
def test_the_fused_pass_makes_the_same_sums(rows, columns):
    pytest.importorskip("numba")
    from maths_exp.algorithms._logistic_regression_sums import PARTS, sums

    X, y, lam, _ = given(rows=rows, columns=columns)
    w = np.random.default_rng(1).standard_normal(columns)
    loss, g, H = np.zeros(PARTS), np.zeros((PARTS, columns)), np.zeros((PARTS, columns, columns))
    f = sums(np.ascontiguousarray(X.T), y, w, lam, loss, g, H)
    expected_f, expected_g, s = experiment.loss_gradient_weights(X, y, lam, w)
    assert f == pytest.approx(expected_f, rel=1e-13)
    np.testing.assert_allclose(g[0], expected_g, rtol=1e-11, atol=1e-13)
    expected = (X.T * s) @ X / rows + lam * np.eye(columns)
    np.testing.assert_allclose(
        H[0][np.tril_indices(columns)], expected[np.tril_indices(columns)], rtol=1e-11, atol=1e-13
    )


def test_newton_converges_quadratically_and_descent_linearly():
    """Twice the digits of the tolerance take Newton at most two passes more, and descent about twice the passes."""
    X, y, lam, _ = given()
    newton = [run("newton", (X, y, lam, tolerance))[1] for tolerance in (1e-6, 1e-12)]
    descent = [run("descent", (X, y, lam, tolerance))[1] for tolerance in (1e-6, 1e-12)]
    assert newton[1] - newton[0] <= 2
    assert 1.5 <= descent[1] / descent[0] <= 2.5


def test_descent_is_never_slower_than_theory():
    """$f_k - f^* \\le (1 - \\lambda/L)^k (f_0 - f^*)$, and $\\|g\\|^2 \\le 2 L (f - f^*)$: Boyd, Vandenberghe, 9.3."""
    _, _, lam, tolerance = inputs = given(problems.separable)
    L = 1 / experiment.with_step(*inputs)[-1]
    allowed = np.log(tolerance**2 / (2 * L * np.log(2))) / np.log(1 - lam / L)
    assert 1 < run("descent", inputs)[1] <= 1 + np.ceil(allowed)


@pytest.mark.parametrize(("make", "strength"), [(problems.overlapping, 0.05), (problems.separable, 1e-3)])
def test_the_passes_of_descent_are_foretold(make, strength):
    """Exactly while they are made; within an eighth where the quadratic at the minimum speaks for the way there."""
    inputs = given(make, strength=strength)
    made, foretold = run("descent", inputs)[1], descent_foretold(*inputs)[1]
    assert foretold == made <= SEEN or 7 / 8 <= made / foretold <= 9 / 8


def test_what_scikit_learn_may_stop_before_is_not_asked_of_it():
    """At any tolerance above the one that it is skipped below, it is right."""
    pytest.importorskip("sklearn")
    row = ROWS["sklearn_lbfgs"]
    assert row.skip(*given(tolerance=1e-9))
    for make in (problems.overlapping, problems.separable):
        inputs = given(make, rows=500, strength=1e-3, tolerance=2e-7)
        assert row.skip(*inputs) is None
        assert gradient_norm(run("sklearn_lbfgs", inputs), *inputs) <= within_tolerance(*inputs)


@every_method
def test_stopping_early_is_caught(name):
    X, y, lam, _ = inputs = given(problems.separable, tolerance=1e-8)
    early = run(name, (X, y, lam, 1e-2))
    assert gradient_norm(early, *inputs) > within_tolerance(*inputs)


def test_another_penalty_or_a_wrong_label_is_caught():
    X, y, lam, tolerance = inputs = given(tolerance=1e-8)
    wrong = y.copy()
    wrong[17] *= -1
    for spoilt in ((X, y, lam * (1 + 1e-5), tolerance), (X, wrong, lam, tolerance)):
        assert gradient_norm(run("newton", spoilt), *inputs) > within_tolerance(*inputs)


@pytest.mark.parametrize("name", ["lbfgs_threads", "newton_threads"])
def test_threads_do_not_change_a_bit(name):
    numba = pytest.importorskip("numba")
    inputs = given(rows=5001)
    results = []
    for count in {1, numba.get_num_threads()}:
        with thread_limit(count):
            results.append(run(name, inputs))
    assert all(np.array_equal(w, results[0][0]) and k == results[0][1] for w, k in results)


def test_the_loss_is_computed_in_vectors():
    numba = pytest.importorskip("numba")
    from maths_exp.algorithms._logistic_regression_sums import losses

    column = numba.float64[::1]
    assert vector_width(losses, (column, column, column, column)) >= host_width()


@pytest.mark.parametrize("changes", [{"strength": 0.0}, {"strength": -1.0}, {"tolerance": 0.0}])
def test_what_has_no_answer_is_refused(changes):
    with pytest.raises(ValueError, match="take"):
        given(**changes)


def test_there_are_only_so_many_patients():
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match="at most"):
        problems.breast_cancer(570, dtype="float64", rng=np.random.default_rng(0))
