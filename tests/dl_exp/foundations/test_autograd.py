"""Autograd: gradients to the digits of the complex step, mistakes told from rounding, and micrograd's demo."""

import numpy as np
import pytest
from counting import Tally, tallied

from dl_exp.foundations import _autograd_laws as laws
from dl_exp.foundations._autograd_model import Shape, start_weights
from dl_exp.foundations._autograd_scalar import Value
from dl_exp.foundations._autograd_training import TRAINING, scalar_tape_engine, tensor_tape_engine
from dl_exp.foundations.autograd import BOUNDS, EXPERIMENT, LAWS, complex_step, cost, moons, scalar_tape, tensor_tape
from exp_core.contestants import Contestant
from exp_core.nests import as_numpy


def made(**changes):
    return moons(**({"n": 20, "width": 8} | changes), dtype="float64", rng=np.random.default_rng(1))


@pytest.mark.parametrize("implementation", EXPERIMENT.implementations, ids=lambda each: each.name)
def test_gradients_are_those_of_the_complex_step_to_twelve_digits(implementation):
    """The demo's own network: 337 weights, 100 points, in float64."""
    for name in implementation.modules:
        pytest.importorskip(name, reason=f"{implementation.name} needs {name}")
    inputs = made(n=100, width=16)
    loss, gradient = as_numpy(Contestant(implementation).ready(inputs)())
    exact_loss, exact = complex_step(*inputs)
    assert gradient.size == 337
    assert abs(loss - exact_loss) <= 1e-12 * exact_loss
    assert np.linalg.norm(gradient - exact) <= 1e-12 * np.linalg.norm(exact)


def broken(result, inputs):
    truth = complex_step(*inputs)
    return [name for name, law in LAWS.items() if not law(result, *inputs, truth) <= BOUNDS[name](*inputs)]


def test_mistakes_are_told_from_rounding():
    inputs = made()
    loss, gradient = tensor_tape(*inputs)
    assert not broken((loss, gradient), inputs)
    without_decay = gradient - 2e-4 * inputs[0]
    halved = gradient.copy()
    halved[inputs[-1].layout.parts["b1"]] /= 2
    for wrong in (without_decay, halved, gradient.astype(np.float32), np.roll(gradient, 1)):
        assert broken((loss, wrong), inputs) == ["gradient"]
    assert broken((loss * (1 + 1e-12), gradient), inputs) == ["loss"]


def test_a_wrong_tape_does_not_widen_its_own_bound(monkeypatch):
    """The bound is what rounding does around the tape's own result, the truth comes from elsewhere."""
    inputs = made(n=11)
    monkeypatch.setattr("dl_exp.tape.relu_derivative", lambda x: 1.0 + 0 * x)
    result = tensor_tape(*inputs)
    assert "gradient" in broken(result, inputs)


def test_the_complex_step_agrees_with_a_difference():
    """A second opinion on the oracle: central differences, whose own error is about $10^{-10}$."""
    weights, x, y, shape = made(n=6, width=3)
    _, exact = complex_step(weights, x, y, shape)
    h = 1e-6
    for k in range(weights.size):
        ends = []
        for sign in (1, -1):
            moved = weights.copy()
            moved[k] += sign * h
            ends.append(float(laws._losses(moved[None].astype(complex), x, y, shape)[0].real))
        assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(exact[k], abs=1e-8)


def test_cost_is_recounted():
    weights, x, y, shape = made(n=50, width=16)
    tally = Tally()
    tensor_tape(*(tallied(each, tally) for each in (weights, x, y)), shape)
    assert cost(weights, x, y, shape).flops == pytest.approx(tally.flops, rel=0.25)


def test_a_number_that_is_used_twice():
    x = Value(3.0)
    y = x * x + x * 2
    y.backward()
    assert (y.data, x.grad) == (15.0, 8.0)


def test_weights_that_are_no_numbers_are_not_hidden():
    weights, x, y, shape = made()
    weights[5] = np.nan
    for tape in (scalar_tape, tensor_tape):
        loss, gradient = tape(weights, x, y, shape)
        assert np.isnan(loss) or np.isnan(gradient).any()


@pytest.mark.parametrize("seed", range(3))
def test_micrograd_s_demo(seed):
    """337 weights, 100 points, 200 steps, all on their side."""
    data = TRAINING.data[0].read()
    shape = TRAINING.model(data)
    state = TRAINING.start(shape, np.random.default_rng(seed))
    assert state["weights"].size == 337
    batches = TRAINING.batches(shape, data, seed, range(200), 100)
    _, state = tensor_tape_engine(shape, state, batches, 0)
    assert TRAINING.evaluate(shape, state, data)["accuracy"] == 1.0


def test_both_tapes_follow_one_curve():
    data = TRAINING.data[0].read()
    shape = Shape(2, 4)
    state = {"weights": start_weights(shape, np.random.default_rng(0))}
    batches = TRAINING.batches(shape, data, 0, range(5), 10)
    assert batches[0].shape == (5, 10, 2)
    losses = [engine(shape, state, batches, 0)[0] for engine in (tensor_tape_engine, scalar_tape_engine)]
    np.testing.assert_allclose(*losses, rtol=1e-12)
