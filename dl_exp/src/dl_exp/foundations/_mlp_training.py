"""The perceptron trained for real: on the digits, to the published accuracy."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from dl_exp.data import read_digits
from dl_exp.foundations._mlp_engine import threads
from dl_exp.foundations._mlp_model import Shape, start_weights
from exp_core.training import DataSet, Engine, Target, Training, epochs


def model(data, *, hidden: Annotated[int, "hidden units"] = 128):
    """The shape for these data."""
    return Shape(data.x.shape[1], hidden, int(data.labels.max()) + 1)


def start(shape, rng):
    """Plain descent keeps nothing but the weights."""
    return {"weights": start_weights(shape, rng)}


def batches(shape, data, seed, steps, batch):
    """Every example once an epoch."""
    chosen = epochs(len(data.x), batch, seed, steps)
    return data.x[chosen], data.labels[chosen]


def threads_engine(shape, state, batches, step):
    """The CPU engine."""
    losses, weights = threads(state["weights"], *batches, shape)
    return losses, {"weights": weights}


def mlx_engine(shape, state, batches, step):
    """The compiled graph, on MLX's device; under mlx.launch with the mean of all processes' gradients."""
    import mlx.core as mx

    from dl_exp.foundations._mlp_mlx import shared_step

    update, losses = shared_step(shape), []
    weights = mx.array(state["weights"])
    for images, targets in zip(*map(mx.array, batches), strict=True):
        loss, weights = update(weights, images, targets)
        mx.eval(loss, weights)
        losses.append(loss.item())
    return np.array(losses, np.float32), {"weights": np.array(weights)}


def evaluate(shape, state, data):
    """The part of the examples held out that it names rightly."""
    W1, b1, W2, b2 = shape.layout.unpack(state["weights"])
    scores = np.tanh(data.held_out_x @ W1 + b1) @ W2 + b2
    return {"held-out accuracy": float(np.mean(np.argmax(scores, axis=1) == data.held_out_labels))}


TRAINING = Training(
    data=(DataSet("digits", read_digits, "1,797 handwritten digits", requires=("sklearn",)),),
    model=model,
    start=start,
    batches=batches,
    engines=(Engine(threads_engine, "compiled"), Engine(mlx_engine, "compiled", arrays="mlx", parallel=True)),
    evaluate=evaluate,
    targets=(
        Target("held-out accuracy", 0.975, "more", "Alpaydin and Kaynak (1998): 97.5 to 98 by nearest neighbours"),
    ),
    steps=2000,
    batch=64,
)
