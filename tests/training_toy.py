"""A toy to train: a quadratic bowl whose step depends on the batch and on what the optimiser remembers."""

from __future__ import annotations

import dataclasses

import numpy as np

from exp_core.training import DataSet, Engine, Target, Training, epochs
from exp_core.training.job import Job

DATA = np.random.default_rng(7).standard_normal((23, 3)).astype(np.float32)


def model(data):
    return ("bowl", data.shape[1])


def start(shape, rng):
    return {"weights": rng.standard_normal(shape[1]).astype(np.float32), "speed": np.zeros(shape[1], np.float32)}


def batches(shape, data, seed, steps, batch):
    return (data[epochs(len(data), batch, seed, steps)],)


def momentum(shape, state, batches, step):
    """Descent with momentum, and a rate that falls."""
    weights, speed, losses = state["weights"], state["speed"], []
    for k, x in enumerate(batches[0], step):
        apart = weights - x.mean(axis=0)
        losses.append(0.5 * apart @ apart)
        speed = np.float32(0.9) * speed - np.float32(0.1 / (1 + 0.01 * k)) * apart
        weights = weights + speed
    return np.array(losses, np.float32), {"weights": weights, "speed": speed}


def scheduled(shape, state, batches, step):
    """Plain descent with the rates that it is told."""
    weights, losses = state["weights"], []
    for x, rate in zip(*batches, strict=True):
        apart = weights - x.mean(axis=0)
        losses.append(0.5 * apart @ apart)
        weights = weights - rate * apart
    return np.array(losses, np.float32), {"weights": weights, "speed": state["speed"]}


def exploding(shape, state, batches, step):
    """Not a number at the 30th step."""
    losses, state = momentum(shape, state, batches, step)
    losses[[k for k in range(len(losses)) if step + k == 29]] = np.nan
    return losses, state


def evaluate(shape, state, data):
    return {"distance": float(np.linalg.norm(state["weights"] - data.mean(axis=0)))}


def say(shape, state, data, prompt, length, rng):
    return " and so on"[:length]


TRAINING = Training(
    data=(DataSet("normal", lambda: DATA, "23 points"),),
    model=model,
    start=start,
    batches=batches,
    engines=(Engine(momentum, "vectorised"), Engine(exploding, "compiled")),
    evaluate=evaluate,
    targets=(Target("distance", 0.5, "less", "this file"),),
    steps=100,
    batch=4,
    every=10,
    sample=say,
)

SCHEDULED = dataclasses.replace(
    TRAINING,
    engines=(Engine(scheduled, "vectorised"), *TRAINING.engines[1:]),
    rate=lambda step, steps: 0.1 * (1 - step / steps),
)


def job(folder, *, steps=100, engine=0, **changes):
    training = changes.pop("training", TRAINING)
    made = Job("toy", training, training.engines[engine], model(DATA), DATA, "normal", 0, 4, steps, folder, 7)
    return dataclasses.replace(made, **changes)
