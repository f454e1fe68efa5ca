"""micrograd's demo: two moons, all points at every step, until each is on its side."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from dl_exp.foundations._autograd_model import Shape, moons_of, start_weights
from exp_core.training import DataSet, Engine, Target, Training

POINTS, STEPS = 100, 200


def read_moons():
    """100 points: x and y."""
    return moons_of(POINTS, 0.1, np.random.default_rng(0))


def model(data, *, width: Annotated[int, "units in each hidden layer"] = 16):
    """2-16-16-1 has 337 weights."""
    return Shape(data[0].shape[1], width)


def start(shape, rng):
    """Plain descent keeps nothing but the weights."""
    return {"weights": start_weights(shape, rng)}


def batches(shape, data, seed, steps, batch):
    """All points every time, or as many as asked for, at random."""
    x, y = data
    if batch >= len(x):
        return np.broadcast_to(x, (len(steps), *x.shape)), np.broadcast_to(y, (len(steps), *y.shape))
    chosen = np.array([np.random.default_rng((seed, step)).permutation(len(x))[:batch] for step in steps])
    return x[chosen], y[chosen]


def tensor_tape_engine(shape, state, batches, step):
    """A node for every array."""
    from dl_exp.foundations.autograd import tensor_tape

    return descend(tensor_tape, shape, state, batches, step)


def scalar_tape_engine(shape, state, batches, step):
    """A node for every number, as micrograd itself."""
    from dl_exp.foundations.autograd import scalar_tape

    return descend(scalar_tape, shape, state, batches, step)


def descend(loss_and_gradient, shape, state, batches, step):
    """Descent whose rate falls from 1 to 0.1, as in micrograd's demo."""
    weights, losses = state["weights"], []
    for k, (x, y) in enumerate(zip(*batches, strict=True), step):
        loss, gradient = loss_and_gradient(weights, x, y, shape)
        weights = weights - max(0.1, 1.0 - 0.9 * k / STEPS) * gradient
        losses.append(loss)
    return np.array(losses), {"weights": weights}


def scores(shape, weights, x):
    """f at every point, shape (n,)."""
    b1, W1, b2, W2, b3, W3 = shape.layout.unpack(weights)
    return (np.maximum(np.maximum(x @ W1 + b1, 0) @ W2 + b2, 0) @ W3 + b3)[:, 0]


def evaluate(shape, state, data):
    """The part of the points that are on their side."""
    x, y = data
    return {"accuracy": float(np.mean(y * scores(shape, state["weights"], x) > 0))}


def picture(figure, shape, state, data, rng):
    """Where the score changes its sign."""
    from dl_exp.foundations._autograd_picture import draw_boundary

    draw_boundary(figure.subplots(), shape, state["weights"], *data)


TRAINING = Training(
    data=(DataSet("moons", read_moons, "100 points on two half circles"),),
    model=model,
    start=start,
    batches=batches,
    engines=(Engine(tensor_tape_engine, "vectorised"), Engine(scalar_tape_engine, "textbook")),
    evaluate=evaluate,
    targets=(Target("accuracy", 1.0, "more", "micrograd's demo"),),
    steps=STEPS,
    batch=POINTS,
    unit="points",
    every=20,
    picture=picture,
)
