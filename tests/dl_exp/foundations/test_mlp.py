"""The perceptron: its gradient by complex step, its bounds against mistakes, its engine in parts, its training."""

import numpy as np
import pytest
from counting import Tally, tallied

from dl_exp.foundations import _mlp_model, mlp
from dl_exp.foundations._mlp_training import TRAINING, mlx_engine, threads_engine
from dl_exp.foundations.mlp import BOUNDS, LAWS, badly_scaled, by_hand, clusters, cost, exact, loops, own_tape, threads
from exp_core.machine import thread_limit

SIZES = {"inputs": 7, "hidden": 5, "classes": 4, "batch": 6, "updates": 3}


def made(problem=clusters, **changes):
    return problem(**(SIZES | changes), dtype="float32", rng=np.random.default_rng(3))


def loss(weights, x, labels, shape):
    """The loss of one batch for complex weights."""
    W1, b1, W2, b2 = shape.layout.unpack(weights)
    z = np.tanh(x @ W1 + b1) @ W2 + b2
    z = z - z.real.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(labels)), labels])


@pytest.mark.parametrize("implementation", [by_hand, own_tape])
def test_the_gradient_is_that_of_the_complex_step(implementation):
    """In float64 an update is the rate times the gradient, to rounding."""
    weights, x, labels, shape = made(updates=1)
    weights = weights.astype(float)
    _, after = implementation(weights, x.astype(float), labels, shape)
    found = (weights - after) / mlp.RATE
    for k in range(weights.size):
        moved = weights.astype(complex)
        moved[k] += 1e-100j
        assert found[k] == pytest.approx(loss(moved, x[0], labels[0], shape).imag / 1e-100, rel=1e-9, abs=1e-12)


def broken(result, inputs):
    truth = exact(*inputs)
    return [name for name, law in LAWS.items() if not law(result, *inputs, truth) <= BOUNDS[name](*inputs)]


@pytest.mark.parametrize("problem", [clusters, badly_scaled])
def test_mistakes_are_told_from_rounding(problem, monkeypatch):
    inputs = made(problem)
    weights, x, labels, shape = inputs
    assert not broken(by_hand(*inputs), inputs)
    late = by_hand(weights, x, np.roll(labels, 1, axis=1), shape)
    fewer = by_hand(weights, x[:2], labels[:2], shape)
    half = by_hand(weights.astype(np.float16).astype(np.float32), x, labels, shape)
    swapped = by_hand(weights, x[::-1], labels[::-1], shape)
    exact(*inputs), BOUNDS["loss curve"](*inputs)
    monkeypatch.setattr(mlp, "RATE", mlp.RATE * 1.001)
    faster = by_hand(*inputs)
    for wrong in (late, fewer, half, swapped, faster):
        assert broken(wrong, inputs)


def test_one_bias_without_its_gradient_is_seen():
    inputs = made()
    losses, weights = by_hand(*inputs)
    weights[inputs[-1].layout.parts["b2"]] = 0
    assert "final weights" in broken((losses, weights), inputs)


def test_cost_is_recounted():
    weights, x, labels, shape = made(inputs=30, hidden=20, batch=16)
    tally = Tally()
    by_hand(tallied(weights, tally), tallied(x, tally), labels, shape)
    assert cost(weights, x, labels, shape).flops == pytest.approx(tally.flops, rel=0.15)


@pytest.mark.parametrize("hidden", [5, 67])
def test_the_engine_may_be_asked_in_parts(hidden):
    """Any cut, the same bits, with one thread and with several: what a resumed run relies on."""
    pytest.importorskip("numba", reason="the engine is compiled")
    weights, x, labels, shape = made(updates=7, hidden=hidden)
    losses, whole = threads(weights, x, labels, shape)
    for cut in range(8):
        first, middle = threads(weights, x[:cut], labels[:cut], shape)
        second, end = threads(middle, x[cut:], labels[cut:], shape)
        assert end.tobytes() == whole.tobytes()
        assert np.concatenate([first, second]).tobytes() == losses.tobytes()


@pytest.mark.parametrize("hidden", [1, 64, 131])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_any_number_of_threads_is_right(number, hidden):
    """Parts of the same size, parts of different sizes, and fewer parts than threads."""
    numba = pytest.importorskip("numba", reason="the engine is compiled")
    if number > numba.config.NUMBA_NUM_THREADS:
        pytest.skip(f"this machine has not {number} threads")
    inputs = made(batch=5, hidden=hidden)
    with thread_limit(number):
        assert not broken(threads(*inputs), inputs)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("implementation", [by_hand, threads])
def test_what_is_no_number_is_not_hidden(implementation, bad):
    pytest.importorskip("numba", reason="the engine is compiled")
    weights, x, labels, shape = made()
    x = x.copy()
    x[1, 2, 3] = bad
    with np.errstate(all="ignore"):
        losses, after = implementation(weights, x, labels, shape)
    assert np.isfinite(losses[0])
    assert np.isnan(losses[1]) or np.isinf(bad)  # an infinite pixel saturates a unit, and its gradient is 0 times it
    assert np.isnan(losses[2])
    assert np.isnan(after).any()


def test_tiny_and_huge_numbers_do_not_disturb():
    """Subnormal inputs, and scores whose exponentials would overflow."""
    pytest.importorskip("numba", reason="the engine is compiled")
    weights, x, labels, shape = made()
    for inputs in ((weights, x * np.float32(1e-42), labels, shape), (weights * np.float32(300), x, labels, shape)):
        for implementation in (loops, by_hand, threads):
            assert not broken(implementation(*inputs), inputs)


def test_engines_agree_and_may_be_asked_in_parts():
    pytest.importorskip("numba", reason="the engine is compiled")
    pytest.importorskip("mlx", reason="the engine is MLX's")
    weights, x, labels, shape = inputs = made(updates=4)
    for engine in (threads_engine, mlx_engine):
        losses, state = engine(shape, {"weights": weights}, (x, labels), 0)
        first, half = engine(shape, {"weights": weights}, (x[:1], labels[:1]), 0)
        second, end = engine(shape, half, (x[1:], labels[1:]), 1)
        assert end["weights"].tobytes() == state["weights"].tobytes()
        assert np.concatenate([first, second]).tobytes() == losses.tobytes()
        assert not broken((losses, state["weights"]), inputs)


@pytest.mark.parametrize("seed", range(3))
def test_it_learns_the_digits_to_the_published_accuracy(seed):
    """All of the command's 2,000 steps."""
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    pytest.importorskip("numba", reason="the engine is compiled")
    data = TRAINING.data[0].read()
    shape = TRAINING.model(data)
    state = TRAINING.start(shape, np.random.default_rng(seed))
    assert TRAINING.evaluate(shape, state, data)["held-out accuracy"] < 0.3
    for step in range(0, TRAINING.steps, 500):
        batches = TRAINING.batches(shape, data, seed, range(step, step + 500), TRAINING.batch)
        _, state = threads_engine(shape, state, batches, step)
    assert TRAINING.targets[0].reached(TRAINING.evaluate(shape, state, data)["held-out accuracy"])


def test_nothing_that_is_held_out_is_trained_on():
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    data = TRAINING.data[0].read()
    assert len(data.x) + len(data.held_out_x) == 1797
    seen = {row.tobytes() for row in data.x}
    shared = sum(row.tobytes() in seen for row in data.held_out_x)
    assert shared == 0


def test_the_start_keeps_the_variance():
    shape = _mlp_model.Shape(200, 300, 10)
    W1, b1, W2, b2 = shape.layout.unpack(_mlp_model.start_weights(shape, np.random.default_rng(0)))
    assert W1.var() == pytest.approx(2 / 500, rel=0.05)
    assert W2.var() == pytest.approx(2 / 310, rel=0.1)
    assert not b1.any()
    assert not b2.any()
