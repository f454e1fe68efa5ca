"""A whole step of the engine: its gradient against the complex step, its parts against each other, its bits."""

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine is compiled")

from dl_exp.engine.adamw import AdamW
from dl_exp.engine.shape import Shape, unpacked
from dl_exp.engine.trainer import Trainer
from dl_exp.sequence._gpt_by_hand import backwards, forwards, loss_of
from dl_exp.sequence._gpt_model import start_weights
from dl_exp.sequence._gpt_textbook import arrays_loss, leaves
from dl_exp.tape import gradient

SHAPES = [Shape(1, 1, 1, 1, 1), Shape(5, 3, 4, 2, 1), Shape(7, 5, 6, 3, 2)]
STEP = 1e-100


def made(shape, batch=3, dtype="float64"):
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, shape.vocabulary, (batch, shape.context + 1)).astype(np.int32)
    weights = 5 * start_weights(shape, rng).astype(dtype)
    return weights, np.ascontiguousarray(tokens[:, :-1]), np.ascontiguousarray(tokens[:, 1:])


def trainer(shape, weights, batch=3, parts=2):
    """A trainer with these weights."""
    one = Trainer(shape, batch, parts, AdamW(), weights.dtype.name)
    one.weights[:] = weights
    return one


def engines(shape, weights, tokens, targets):
    one = trainer(shape, weights)
    one.gradient(tokens, targets)
    return sum(one.gradients)


def by_hand(shape, weights, tokens, targets):
    found = np.full_like(weights, np.nan)
    w = unpacked(weights, shape)
    logits, memory = forwards(w, tokens, shape)
    backwards(w, unpacked(found, shape), tokens, loss_of(logits, targets)[1], memory, shape)
    return found


def tapes(shape, weights, tokens, targets):
    w, parts = leaves(weights, shape)
    return np.concatenate([g.reshape(-1) for g in gradient(arrays_loss(w, tokens, targets, shape), parts)])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("way", [engines, by_hand, tapes])
def test_the_gradient_is_that_of_the_complex_step(shape, way):
    """To rounding: some hundred operations deep, 1e-16 each."""
    weights, tokens, targets = made(shape)
    found = way(shape, weights, tokens, targets)
    for k in range(len(weights)):
        moved = weights.astype(complex)
        moved[k] += 1j * STEP
        loss = loss_of(forwards(unpacked(moved, shape), tokens, shape)[0], targets)[0]
        assert found[k] == pytest.approx(loss.imag / STEP, rel=1e-9, abs=1e-12)


def test_a_gradient_that_forgets_a_layers_input_is_seen():
    """Sabotage: the gain of the first normalisation taken for 1 in one component."""
    shape = SHAPES[1]
    weights, tokens, targets = made(shape)
    right = engines(shape, weights, tokens, targets)
    weights[shape.layout.parts["norm1"].start] *= 1 + 1e-6
    assert np.abs(engines(shape, weights, tokens, targets) - right).max() > 1e-9


@pytest.mark.parametrize("parts", [1, 2, 3, 8])
def test_any_number_of_parts_is_the_same_step(parts):
    """But for the order of sums; more parts than sequences are as many as sequences."""
    shape = SHAPES[2]
    weights, tokens, targets = made(shape, batch=5)
    one, other = trainer(shape, weights, 5, 1), trainer(shape, weights, 5, parts)
    for t in range(1, 4):
        assert other.step(tokens, targets, t, 1e-2) == pytest.approx(one.step(tokens, targets, t, 1e-2), rel=1e-12)
    np.testing.assert_allclose(other.weights, one.weights, rtol=1e-9, atol=1e-12)
    assert len(other.gradients) == min(parts, 5)


def test_the_same_parts_give_the_same_bits():
    shape = Shape(65, 16, 32, 4, 2)
    weights, tokens, targets = made(shape, 6, "float32")
    runs = []
    for _ in range(3):
        one = trainer(shape, weights, 6, 2)
        losses = [one.step(tokens, targets, t, 1e-3) for t in range(1, 20)]
        runs.append((losses, one.weights.tobytes(), one.m.tobytes(), one.v.tobytes()))
    assert runs[0] == runs[1] == runs[2]


def test_a_long_gradient_is_clipped_and_a_short_one_is_not():
    shape = SHAPES[1]
    weights, tokens, targets = made(shape)
    length = np.linalg.norm(engines(shape, weights, tokens, targets))
    for clip in (length / 10, length * 10):
        one = Trainer(shape, 3, 2, AdamW(clip=clip), "float64")
        one.weights[:] = weights
        one.step(tokens, targets, 1, 1e-3)
        wanted = (1 - one.constants.beta1) * min(length, clip)
        assert np.linalg.norm(one.m) == pytest.approx(wanted, rel=1e-5)  # 1e-6 is added to the length


def test_the_loss_alone_is_the_loss_of_a_step():
    shape = SHAPES[2]
    weights, tokens, targets = made(shape)
    one = trainer(shape, weights)
    alone = one.loss(tokens, targets)
    assert alone == one.step(tokens, targets, 1, 1e-3)
    assert one.loss(tokens, targets) != alone


@pytest.mark.parametrize(
    ("shape", "batch", "parts", "says"),
    [
        (SHAPES[1], 0, 1, "at least 1"),
        (SHAPES[1], 1, 0, "at least 1"),
        (SHAPES[1]._replace(heads=3), 1, 1, "do not divide"),
    ],
)
def test_sizes_that_cannot_be_are_refused(shape, batch, parts, says):
    with pytest.raises(ValueError, match=says):
        Trainer(shape, batch, parts, AdamW())
