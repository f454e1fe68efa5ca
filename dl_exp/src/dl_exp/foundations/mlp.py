"""Multilayer perceptron: a step of training, from loops over numbers to threads that stay in their cache.

Problem   From weights w and minibatches x, shape (updates, batch, inputs), with labels, make as many steps of
          stochastic gradient descent on the mean cross-entropy of $z = \\tanh(x W_1 + b_1) W_2 + b_2$.
          All follow the same loss curve from the same weights.
Idea      The chain rule, backwards: $\\partial L/\\partial z = (p - y)/B$ with $p = \\mathrm{softmax}(z)$; each layer
          hands $\\delta W^T$ down and keeps $h^T \\delta$.  Nothing else is needed: three matrix products a layer.
Look for  A step is a few million multiplications, 20 µs of one core; PyTorch spends 170 on asking for it, operation by
          operation, and MLX 260, which begins and ends a graph for each step.  Compiled code that knows all steps asks
          for nothing; its threads share the hidden units, not the batch, and pass on a few scores instead of all
          weights and gradients.  On badly-scaled weights all units are saturated, and the loss starts in the hundreds.
Source    D. E. Rumelhart, G. E. Hinton, R. J. Williams, Learning representations by back-propagating errors, Nature 323
          (1986), 533-536, doi:10.1038/323533a0.
"""

from __future__ import annotations

import math

import numpy as np

from dl_exp.foundations._mlp_engine import threads
from dl_exp.foundations._mlp_library import mlx_nn, torch_eager
from dl_exp.foundations._mlp_mlx import compiled_step, step
from dl_exp.foundations._mlp_model import RATE
from dl_exp.foundations._mlp_picture import draw
from dl_exp.foundations._mlp_problems import AWKWARD, SMALL, badly_scaled, clusters, digits
from dl_exp.foundations._mlp_training import TRAINING
from dl_exp.tape import Tensor, gradient, logsumexp, mean, tanh, total
from dl_exp.trajectories import LAWS, oracle_and_bounds
from exp_core import Cost, Experiment, Implementation, Problem


def loops(weights, x, labels, shape):
    """Number after number: every sum of the page is a loop."""
    W1, b1, W2, b2 = (np.array(part, np.float64).tolist() for part in shape.layout.unpack(weights))
    d, h, c = range(shape.inputs), range(shape.hidden), range(shape.classes)
    losses = []
    for batch, targets in zip(x.tolist(), labels.tolist(), strict=True):
        loss, share = 0.0, 1 / len(batch)
        gW1, gb1 = [[0.0] * shape.hidden for _ in d], [0.0] * shape.hidden
        gW2, gb2 = [[0.0] * shape.classes for _ in h], [0.0] * shape.classes
        for pixels, target in zip(batch, targets, strict=True):
            a = [math.tanh(b1[j] + sum(pixels[i] * W1[i][j] for i in d)) for j in h]
            z = [b2[k] + sum(a[j] * W2[j][k] for j in h) for k in c]
            powers = [math.exp(z_k - max(z)) for z_k in z]
            total = sum(powers)
            loss += share * (math.log(total) + max(z) - z[target])
            delta = [share * (powers[k] / total - (k == target)) for k in c]
            below = [sum(delta[k] * W2[j][k] for k in c) * (1 - a[j] * a[j]) for j in h]
            for k in c:
                gb2[k] += delta[k]
                for j in h:
                    gW2[j][k] += a[j] * delta[k]
            for j in h:
                gb1[j] += below[j]
                for i in d:
                    gW1[i][j] += pixels[i] * below[j]
        losses.append(loss)
        W1, W2 = ([[w - RATE * g for w, g in zip(*r, strict=True)] for r in zip(W, gW, strict=True)]
                  for W, gW in ((W1, gW1), (W2, gW2)))  # fmt: skip
        b1, b2 = ([w - RATE * g for w, g in zip(b, gb, strict=True)] for b, gb in ((b1, gb1), (b2, gb2)))
    parts = [np.array(part, np.float32) for part in (W1, b1, W2, b2)]
    return np.array(losses, np.float32), shape.layout.pack(parts)


def by_hand(weights, x, labels, shape):
    """A batch at once: the same formulas as matrix products in NumPy."""
    weights, losses = weights.copy(), []
    for images, targets in zip(x, labels, strict=True):
        W1, b1, W2, b2 = shape.layout.unpack(weights)
        rows = np.arange(len(targets))
        a = np.tanh(images @ W1 + b1)  # (batch, hidden)
        z = a @ W2 + b2  # (batch, classes)
        z = z - np.max(z, axis=1, keepdims=True)
        powers = np.exp(z)
        totals = np.sum(powers, axis=1, keepdims=True)
        losses.append(np.mean(np.log(totals[:, 0]) - z[rows, targets]))
        delta = powers / totals
        delta[rows, targets] = delta[rows, targets] - 1
        delta = delta / len(targets)
        below = (delta @ W2.T) * (1 - a * a)
        gradients = (images.T @ below, np.sum(below, axis=0), a.T @ delta, np.sum(delta, axis=0))
        for part, slope in zip((W1, b1, W2, b2), gradients, strict=True):
            part -= RATE * slope
    return np.array(losses, weights.dtype), weights


def own_tape(weights, x, labels, shape):
    """Only the loss is written down: the tape (`dl_exp.tape`) finds the way back, a node for every array."""
    losses = []
    for images, targets in zip(x, labels, strict=True):
        parts = [Tensor(part) for part in shape.layout.unpack(weights)]
        W1, b1, W2, b2 = parts
        z = tanh(Tensor(images) @ W1 + b1) @ W2 + b2
        chosen = total(z * np.eye(shape.classes, dtype=weights.dtype)[targets], axis=1)
        loss = mean(logsumexp(z) - chosen)
        weights = weights - RATE * shape.layout.pack(gradient(loss, parts))
        losses.append(loss.value)
    return np.array(losses, weights.dtype), weights


def mlx_grad(weights, x, labels, shape):
    """mx.value_and_grad instead: MLX's own tape, on the device."""
    import mlx.core as mx

    update, losses = step(shape), []
    for images, targets in zip(x, labels, strict=True):
        loss, weights = update(weights, images, targets)
        losses.append(loss)
        mx.eval(loss, weights)
    return mx.stack(losses), weights


def mlx_compiled(weights, x, labels, shape):
    """The same graph, compiled once: elementwise operations are fused, tanh is in vector instructions on a CPU too."""
    import mlx.core as mx

    update, losses = compiled_step(shape), []
    for images, targets in zip(x, labels, strict=True):
        loss, weights = update(weights, images, targets)
        losses.append(loss)
        mx.eval(loss, weights)
    return mx.stack(losses), weights


def cost(weights, x, labels, shape):
    """Three products for the upper layer, two for the lower one; a step reads its batch and the weights once."""
    (updates, batch, d), h, c = x.shape, shape.hidden, shape.classes
    flops = batch * (4 * d * h + 6 * h * c + 4 * h + 6 * c) + 2 * weights.size + batch * (h + 2 * c)
    memory = 4 * (batch * (3 * h + 4 * c) + 4 * weights.size)
    return Cost(updates * flops, updates * (x[0].nbytes + labels[0].nbytes + 2 * weights.nbytes), memory)


def picture(figure, weights, x, labels, shape):
    """The loss of the run, and what the hidden units look for."""
    draw(figure, by_hand, weights, x, labels, shape)


exact, BOUNDS = oracle_and_bounds(by_hand)


def row(function, rung, **more):
    """An implementation: all do the same, and round within the same bounds."""
    return Implementation(function, rung, cost=cost, bound=BOUNDS, **more)


EXPERIMENT = Experiment(
    problems=(
        Problem(clusters, small=SMALL, awkward=AWKWARD),
        Problem(badly_scaled, kind="hard", small=SMALL, awkward=AWKWARD),
        Problem(digits, kind="real", small={"hidden": 4, "batch": 3, "updates": 2}, requires=("sklearn",)),
    ),
    dtypes=("float32",),
    oracle=exact,
    laws=LAWS,
    implementations=(
        row(loops, "textbook"),
        row(by_hand, "vectorised"),
        row(own_tape, "vectorised"),
        row(mlx_grad, "vectorised", arrays="mlx"),
        row(mlx_compiled, "compiled", arrays="mlx"),
        row(threads, "compiled"),
        row(mlx_nn, "library", arrays="mlx"),
        row(torch_eager, "library", requires=("torch",)),
    ),
    picture=picture,
    training=TRAINING,
)
