"""Data parallelism: several processes, each with its part of the batch, go one and the same way.

Problem   A multilayer perceptron's steps of descent, as in mlp, by R processes (ranks) that share no memory.  Each
          makes the gradient of its part of the batch, and every one needs the sum of all.
Idea      The ranks stand in a ring and cut the gradient into R pieces.  R - 1 times each hands a piece to the right
          and adds the one that comes from the left to its own: now every rank has one piece of the sum complete.
          Another R - 1 times each hands on what is complete.  Every rank sends $2(R - 1)/R$ of a gradient, however
          many they are, and all links are busy all the time.
Look for  All ranks have the same bits after every step: each piece is summed in one place.  They differ from one
          process's by the order of a sum.  On two cores two ranks take 0.53 of one's time where MLX multiplies with
          the BLAS that it came with, on one thread; with OpenBLAS beneath it one rank has both cores busy already, and
          two gain nothing (--sweep ranks=1:2:x2).  The ring written out is at 0.6 of the library: it stops at every
          hop until both sides are done, where MLX's has several pieces under way.  Threads of one process send
          nothing, and stay far ahead as long as one machine is enough.
Source    P. Patarasuk, X. Yuan, Bandwidth optimal all-reduce algorithms for clusters of workstations, J. Parallel
          Distrib. Comput. 69 (2009), 117-124, doi:10.1016/j.jpdc.2008.09.002.
          MLX's documentation, "Distributed Communication".
"""

from __future__ import annotations

import numpy as np

from dl_exp.distributed._data_parallel_problems import badly_scaled, clusters, digits
from dl_exp.distributed._data_parallel_ranks import Loaded, loaded
from dl_exp.distributed._data_parallel_ring import mlx_average, mlx_sum, ring_sum
from dl_exp.foundations._mlp_engine import threads
from dl_exp.foundations._mlp_mlx import compiled_step
from dl_exp.foundations._mlp_model import RATE
from dl_exp.trajectories import LAWS, oracle_and_bounds
from exp_core import Cost, Experiment, Implementation, Problem


def loops(weights, x, labels, shape, ranks):
    """All ranks in one process, their messages as lists of numbers: what happens at each hop, and nothing else."""
    parameters = [weights.tolist() for _ in range(ranks)]
    losses = []
    for images, targets in zip(x, labels, strict=True):
        sums = []
        for rank in range(ranks):
            own = slice(rank, None, ranks)
            w = np.array(parameters[rank], weights.dtype)
            loss, gradient = loss_and_gradient(w, images[own], targets[own], shape)
            n = len(targets[own])
            sums.append([n * g for g in [*gradient.tolist(), float(loss), 1.0]])
        cuts = [len(sums[0]) * piece // ranks for piece in range(ranks + 1)]
        for hop in range(ranks - 1):  # each piece grows on its way around
            messages = [_piece(sums[rank], cuts, rank - hop) for rank in range(ranks)]
            for rank in range(ranks):
                first = cuts[(rank - hop - 1) % ranks]
                for i, number in enumerate(messages[rank - 1], first):
                    sums[rank][i] += number
        for hop in range(ranks - 1):  # and goes around once more, complete
            messages = [_piece(sums[rank], cuts, rank + 1 - hop) for rank in range(ranks)]
            for rank in range(ranks):
                first = cuts[(rank - hop) % ranks]
                for i, number in enumerate(messages[rank - 1], first):
                    sums[rank][i] = number
        for rank in range(ranks):
            n = sums[rank][-1]
            parameters[rank] = [w - RATE * g / n for w, g in zip(parameters[rank], sums[rank], strict=False)]
        losses.append(sums[0][-2] / sums[0][-1])
    return np.array(losses, weights.dtype), np.array(parameters[0], weights.dtype)


def _piece(numbers, cuts, piece):
    """One of the pieces, counted around the ring."""
    piece %= len(cuts) - 1
    return numbers[cuts[piece] : cuts[piece + 1]]


def one_process(weights, x, labels, shape, ranks):
    """The whole batch in one process, in NumPy: what all ranks together must come to."""
    weights, losses = weights.copy(), []
    for images, targets in zip(x, labels, strict=True):
        loss, gradient = loss_and_gradient(weights, images, targets, shape)
        losses.append(loss)
        weights -= RATE * gradient
    return np.array(losses, weights.dtype), weights


def loss_and_gradient(weights, x, labels, shape):
    """Mean cross-entropy of $\\tanh(x W_1 + b_1) W_2 + b_2$ and its gradient, flat; x (batch, inputs)."""
    W1, b1, W2, b2 = shape.layout.unpack(weights)
    rows = np.arange(len(labels))
    a = np.tanh(x @ W1 + b1)  # (batch, hidden)
    z = a @ W2 + b2  # (batch, classes)
    z = z - np.max(z, axis=1, keepdims=True)
    powers = np.exp(z)
    totals = np.sum(powers, axis=1, keepdims=True)
    loss = np.mean(np.log(totals[:, 0]) - z[rows, labels])
    delta = powers / totals
    delta[rows, labels] = delta[rows, labels] - 1
    delta = delta / len(labels)
    below = (delta @ W2.T) * (1 - a * a)
    gradient = np.empty_like(weights)
    gW1, gb1, gW2, gb2 = shape.layout.unpack(gradient)
    gW1[:], gb1[:] = x.T @ below, np.sum(below, axis=0)
    gW2[:], gb2[:] = a.T @ delta, np.sum(delta, axis=0)
    return loss, gradient


def one_process_mlx(weights, x, labels, shape, ranks):
    """The same in MLX, compiled: what one rank does when it is alone."""
    import mlx.core as mx

    update, losses = compiled_step(shape), []
    for images, targets in zip(x, labels, strict=True):
        loss, weights = update(weights, images, targets)
        mx.eval(loss, weights)
        losses.append(loss)
    return mx.stack(losses), weights


def threads_instead(weights, x, labels, shape, ranks):
    """As many threads of one process, compiled: they share their memory, and send nothing."""
    return threads(weights, x, labels, shape)


def ring_written_out(run: Loaded):
    """Ranks with the ring as on the page, each hop a send and a receive of MLX at the same time."""
    return run.train(ring_sum)


def all_sum(run: Loaded):
    """Ranks with mx.distributed.all_sum: the same ring in C++, in finer pieces, so that adding overlaps sending."""
    return run.train(mlx_sum)


def average_gradients(run: Loaded):
    """Ranks with nn.average_gradients, as MLX's documentation has it."""
    return run.train(mlx_average)


def cost(weights, x, labels, shape, ranks):
    """The perceptron's work, and what the ranks send: $2(R - 1)$ gradients an update, all ranks together."""
    (updates, batch, d), h, c = x.shape, shape.hidden, shape.classes
    flops = batch * (4 * d * h + 6 * h * c + 4 * h + 6 * c) + 2 * weights.size + batch * (h + 2 * c)
    sent = 2 * (ranks - 1) * (weights.nbytes + 8)
    memory = ranks * 4 * (6 * weights.size + 16) + 4 * batch * (3 * h + 4 * c)
    return Cost(updates * flops, updates * (x[0].nbytes + labels[0].nbytes + 2 * weights.nbytes + sent), memory)


def picture(figure, weights, x, labels, shape, ranks):
    """The ring, hop by hop; what it sends; the loss."""
    from dl_exp.distributed._data_parallel_picture import draw

    draw(figure, one_process, weights, x, labels, shape, ranks)


exact, BOUNDS = oracle_and_bounds(one_process)
SMALL = {"inputs": 6, "hidden": 5, "classes": 3, "batch": 5, "updates": 3}
AWKWARD = (
    {"inputs": 1, "hidden": 1, "classes": 1, "batch": 1, "updates": 1, "ranks": 1},
    {"inputs": 7, "hidden": 17, "classes": 11, "batch": 13, "updates": 2, "ranks": 3},
)


def row(function, rung, **more):
    """An implementation: all do the same, and round within the same bounds."""
    return Implementation(function, rung, cost=cost, bound=BOUNDS, **more)


RANKS = {"prepare": loaded, "requires": ("mlx",)}

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
        row(one_process, "vectorised"),
        row(one_process_mlx, "compiled", arrays="mlx"),
        row(threads_instead, "compiled"),
        row(ring_written_out, "distributed", **RANKS),
        row(all_sum, "distributed", **RANKS),
        row(average_gradients, "library", **RANKS),
    ),
    picture=picture,
)
