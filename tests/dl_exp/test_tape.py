"""The tape: every operation's derivative against differences, for NumPy and MLX arrays."""

import numpy as np
import pytest

from dl_exp import tape, tape_moves
from dl_exp.tape import Tensor, gradient, logsumexp, mean, relu, tanh, total

RNG = np.random.default_rng(0)
A, B, ROW, COLUMN = (RNG.standard_normal(shape) for shape in ((4, 3), (3, 5), (1, 3), (4, 1)))
ROWS = np.array([[3, 0, 3], [1, 1, 2]])  # some twice

FORMULAS = {
    "sum": lambda a, b, r, c: total(a * a + r),
    "broadcast": lambda a, b, r, c: total((a + r) * (a * c)),
    "product": lambda a, b, r, c: total(tanh(a @ b)),
    "axis": lambda a, b, r, c: total(total(a * r, axis=1) * total(a, axis=1)),
    "mean": lambda a, b, r, c: mean(a * a * c),
    "relu": lambda a, b, r, c: total(relu(a * r) * c),
    "logsumexp": lambda a, b, r, c: total(logsumexp(a @ b) * 0.5),
    "numbers": lambda a, b, r, c: total(1 - a * 3 + 2),
    "difference": lambda a, b, r, c: total((a - r) * (2 - c)),
    "reuse": lambda a, b, r, c: total((a + a) * a - a),
    "softmax": lambda a, b, r, c: total(tape.softmax(a @ b) * c),
    "gelu": lambda a, b, r, c: total(tape.gelu(a * r) * c),
    "standardised": lambda a, b, r, c: total(tape.standardised(a, 1e-5) * r * a),
    "reshape": lambda a, b, r, c: total(tape_moves.reshape(a, (2, 6)) @ tape_moves.reshape(a * a, (6, 2))),
    "swap": lambda a, b, r, c: total(tape_moves.swap(a, 0, 1) @ (a * c) @ b),
    "columns": lambda a, b, r, c: total(tape_moves.columns(a, 1, 3) * c) + total(tape_moves.columns(a, 0, 1) * c * c),
    "item": lambda a, b, r, c: total(tape_moves.item(a, 2) * tape_moves.item(a, 0) * r),
    "take": lambda a, b, r, c: total(tape_moves.take(a, ROWS) * ROW),
    "stack": lambda a, b, r, c: total(tape_moves.take(a * a, ROWS) @ b * 0.5),
    "stacks": lambda a, b, r, c: total(tape_moves.take(a, ROWS) @ tape_moves.swap(tape_moves.take(a * a, ROWS), 1, 2)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_are_those_of_central_differences(name):
    """To $h^2$ for the formula's third derivative, some hundreds at most here, and u/h for rounding."""
    values = [A, B, ROW, COLUMN]
    leaves = [Tensor(value) for value in values]
    found = gradient(FORMULAS[name](*leaves), leaves)
    h = 1e-6
    for place, value in enumerate(values):
        for index in np.ndindex(value.shape):
            ends = []
            for sign in (1, -1):
                moved = [each.copy() for each in values]
                moved[place][index] += sign * h
                ends.append(float(FORMULAS[name](*map(Tensor, moved)).value))
            assert found[place][index] == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("name", FORMULAS)
def test_mlx_arrays_give_the_same(name):
    mx = pytest.importorskip("mlx.core", reason="MLX arrays need MLX")
    with mx.stream(mx.cpu):
        there = [Tensor(mx.array(value.astype(np.float32))) for value in (A, B, ROW, COLUMN)]
        found = [np.array(g) for g in gradient(FORMULAS[name](*there), there)]
    here = [Tensor(value) for value in (A, B, ROW, COLUMN)]
    for one, other in zip(found, gradient(FORMULAS[name](*here), here), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_a_derivative_that_is_dropped_is_seen(monkeypatch):
    """Sabotage: the second operand of a product forgotten."""
    monkeypatch.setattr(Tensor, "__mul__", lambda a, b: Tensor(a.value * b.value, ((a, lambda g: g * b.value),)))
    x = Tensor(A)
    (found,) = gradient(total(x * x), [x])
    assert not np.allclose(found, 2 * A)


def test_shared_parts_are_walked_once():
    """Thirty doublings: without memory that would be a billion ways back."""
    x = y = Tensor(np.array(1.0))
    for _ in range(30):
        y = y + y
    assert float(gradient(y, [x])[0]) == 2.0**30


def test_a_long_history_needs_no_recursion():
    x = y = Tensor(np.array(1.0))
    for _ in range(20_000):
        y = y + 1
    assert float(gradient(y, [x])[0]) == 1


def test_what_the_loss_does_not_depend_on_has_derivative_zero():
    x, other = Tensor(A), Tensor(B)
    np.testing.assert_array_equal(gradient(total(x), [other])[0], 0 * B)


def test_only_one_number_has_a_gradient():
    with pytest.raises(ValueError, match="one number"):
        gradient(tape.relu(Tensor(A)), [])
