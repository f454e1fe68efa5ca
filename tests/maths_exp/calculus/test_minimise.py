"""minimise: gradients against differences, certified minima, and searches that end whatever they are given."""

from __future__ import annotations

import numpy as np
import pytest

from maths_exp.calculus import minimise
from maths_exp.calculus._minimise_laws import FLOPS, evaluator, gradient, solved
from maths_exp.calculus._minimise_library import as_callbacks, as_pointers
from maths_exp.calculus._minimise_objectives import COLLECTION, Task, lennard_jones, quadratic, rosenbrock

OTHERS = (Task(quadratic, (0.0,) * 5), Task(lennard_jones, (0.0, 0, 0, 1.1, 0, 0, 0.4, 0.9, 0.3)))
by_name = pytest.mark.parametrize("task", (*COLLECTION, *OTHERS), ids=lambda task: task.f.__name__)


@by_name
def test_gradients_are_derivatives(task):
    """Central differences of order h², off the start by a little, each variable in its own scale."""
    n = len(task.start)
    fg = evaluator(task.f, n)
    x = np.array(task.start) + np.random.default_rng(1).uniform(0.01, 0.1, n)
    g = fg(x)[1]
    for i, e in enumerate(np.eye(n)):
        h = 1e-5 * max(1.0, abs(x[i]))
        near, far = ((fg(x + k * h * e)[0] - fg(x - k * h * e)[0]) / (2 * k * h) for k in (1, 2))
        rounding = 1e-15 * abs(fg(x)[0]) / h
        assert abs((4 * near - far) / 3 - g[i]) <= 1e-7 * np.max(abs(g)) + 10 * rounding


@by_name
def test_machine_code_computes_the_very_same_gradient(task):
    """Bit for bit, so that Python's verdict is on what compiled code saw; but for the last bit of exp."""
    (f,), (x,), _ = as_callbacks((task,), 1e-6)
    for ours, theirs in zip(evaluator(task.f, x.size)(x), f(x), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-15, atol=0)


def test_every_certified_minimum_is_found():
    """L-BFGS ends at a known least value on each function of the collection; SciPy's on no more of them."""
    result = minimise.lbfgs_compiled(*as_pointers(COLLECTION, 1e-6))
    assert gradient(result, COLLECTION, 1e-6) <= 1e-6
    assert solved(result, COLLECTION, 1e-6) == 1
    theirs = minimise.scipy_lbfgsb(*as_callbacks(COLLECTION, 1e-6))
    assert solved(theirs, COLLECTION, 1e-6) <= 1


@pytest.mark.parametrize("atoms", [2, 3, 4])
def test_few_atoms_touch_one_another(atoms):
    """Two, three and four atoms have one minimum: all pairs at the distance $2^{1/6}$ and the energy -1."""
    tasks, tolerance = minimise.cluster(atoms, 1e-8, dtype="float64", rng=np.random.default_rng(3))
    x, _ = minimise.lbfgs_compiled(*as_pointers(tasks, tolerance))
    assert evaluator(lennard_jones, 3 * atoms)(x)[0] == pytest.approx(-atoms * (atoms - 1) / 2, abs=1e-10)


@pytest.mark.parametrize("name", ["gradient_descent", "momentum", "nelder_mead", "newton", "bfgs"])
def test_each_method_minimises_a_round_parabola(name):
    """Where there is no valley, all arrive; and the evaluations returned are those that were made."""
    calls = []

    def fg(x):
        calls.append(x)
        return float((x - 2) @ (x - 2)), 2 * (x - 2)

    x, evaluations = getattr(minimise, name)(fg, np.array([5.0, -1.0, 0.5]), 1e-5)
    np.testing.assert_allclose(x, 2, atol=1e-5)
    assert evaluations == len(calls)


def test_curvature_needs_fewer_evaluations():
    """In Rosenbrock's valley: descent thousands, momentum hundreds, BFGS tens."""
    fg = evaluator(rosenbrock, 2)
    start = np.array([-1.2, 1.0])
    descent, run_up, learnt = (
        m(fg, start, 1e-4)[1] for m in (minimise.gradient_descent, minimise.momentum, minimise.bfgs)
    )
    assert descent > 5 * run_up > 25 * learnt


def nowhere(x, g, n):
    g[0] = x[0] - x[0] + np.nan
    return np.nan


def bottomless(x, g, n):
    g[0] = 1.0
    return x[0]


@pytest.mark.parametrize("f", [nowhere, bottomless])
def test_no_search_hangs(f):
    """What is no number, and what has no minimum, end; and the law sees that nothing was found."""
    tasks = (Task(f, (1.0,)),)
    result = minimise.lbfgs_compiled(*as_pointers(tasks, 1e-6))
    assert gradient(result, tasks, 1e-6) > 1e-6


def test_sizes_without_meaning_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="try 4"):
        minimise.valley(3, dtype="float64", rng=rng)
    with pytest.raises(ValueError, match="--atoms 2"):
        minimise.cluster(1, dtype="float64", rng=rng)
    with pytest.raises(ValueError, match="tolerance lies from"):
        minimise.valley(2, 1e-12, dtype="float64", rng=rng)


def test_every_objective_has_a_cost():
    assert {task.f for task in (*COLLECTION, *OTHERS)} <= set(FLOPS)
