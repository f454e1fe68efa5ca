"""GPT: a small language model that reads a text by itself, from single numbers to the hardware's limit.

Problem   From weights, (P,), and minibatches of tokens and targets, (updates, batch, context), make as many steps of
          AdamW on the mean cross-entropy of the next symbol.  The model is GPT-2's: in each layer attention over the
          past, then two matrices with a GELU between them, both added to what comes in; its last matrix is the
          embedding of its symbols.  All follow the same loss curve from the same weights.
Idea      $x + f(\\mathrm{norm}(x))$ passes a gradient on unchanged and adds that of f: layer upon layer can be trained.
          A step is six operations a weight and symbol (two forwards, four backwards) and, for attention, $12LCT$ a
          symbol: what counts is how near matrix products come to the processor's limit, and what lies between them.
Look for  The tape on numbers makes a node of each of a step's billion operations, that on arrays a few hundred.  MLX
          on a CPU spends its time on elementwise functions and copies, PyTorch on threads that wait for each other at
          every operation.  The engine gives each thread its part of the batch for the whole step, and its products read
          operands where they lie.  Saturated weights make an attention of zeros and ones, and huge losses.
Source    A. Radford et al., Language Models are Unsupervised Multitask Learners (2019).
          A. Vaswani et al., Attention Is All You Need, NIPS (2017), arXiv:1706.03762.
          A. Karpathy, nanoGPT (2022), for the configuration.
          A. Chowdhery et al., PaLM, arXiv:2204.02311 (2022), appendix B, for the count of operations.
"""

from __future__ import annotations

import numpy as np

from dl_exp.engine.shape import unpacked
from dl_exp.foundations._autograd_scalar import Value
from dl_exp.sequence._gpt_by_hand import train
from dl_exp.sequence._gpt_engine import threads
from dl_exp.sequence._gpt_library import mlx_nn
from dl_exp.sequence._gpt_model import ladder_rates
from dl_exp.sequence._gpt_picture import draw
from dl_exp.sequence._gpt_problems import AWKWARD, SMALL, python_docs, saturated, symbols
from dl_exp.sequence._gpt_textbook import adamw, arrays_loss, leaves, numbers_loss
from dl_exp.sequence._gpt_torch import torch_eager
from dl_exp.sequence._gpt_training import TRAINING
from dl_exp.tape import gradient
from dl_exp.trajectories import LAWS, oracle_and_bounds
from exp_core import Cost, Experiment, Implementation, Problem


def number_tape(weights, tokens, targets, shape):
    """Every number is a node that knows where it came from: the model as a page of formulas, the tape walks back."""
    weights, losses = weights.astype(np.float64), []
    m, v = np.zeros_like(weights), np.zeros_like(weights)
    for step, (x, y) in enumerate(zip(tokens, targets, strict=True)):
        nodes = np.array([Value(w) for w in weights.tolist()], object)
        loss = numbers_loss(unpacked(nodes, shape), x, y, shape)
        loss.backward()
        adamw(weights, m, v, np.array([node.grad for node in nodes]), step, shape)
        losses.append(loss.data)
    return np.array(losses, np.float32), weights.astype(np.float32)


def array_tape(weights, tokens, targets, shape):
    """Every array is a node (`dl_exp.tape`): the same page for a batch at a time."""
    weights, losses = weights.copy(), []
    m, v = np.zeros_like(weights), np.zeros_like(weights)
    for step, (x, y) in enumerate(zip(tokens, targets, strict=True)):
        w, parts = leaves(weights, shape)
        loss = arrays_loss(w, x, y, shape)
        adamw(weights, m, v, np.concatenate([g.reshape(-1) for g in gradient(loss, parts)]), step, shape)
        losses.append(loss.value)
    return np.array(losses, weights.dtype), weights


def by_hand(weights, tokens, targets, shape):
    """No tape: each operation's derivative is written after it, in NumPy."""
    return train(weights, tokens, targets, shape)


def mlx_grad(weights, tokens, targets, shape):
    """mx.value_and_grad on the device; exponentials are `dl_exp.elementwise`'s."""
    from dl_exp.sequence._gpt_mlx import run, update

    state = (weights, weights * 0, weights * 0)
    losses, state = run(update(shape), state, (tokens, targets), ladder_rates(len(tokens)), 0)
    return losses, state[0]


def mlx_compiled(weights, tokens, targets, shape):
    """The same graph, compiled once."""
    from dl_exp.sequence._gpt_mlx import compiled_run

    state = (weights, weights * 0, weights * 0)
    losses, state = compiled_run(state, (tokens, targets), ladder_rates(len(tokens)), 0, shape)
    return losses, state[0]


def cost(weights, tokens, targets, shape):
    """PaLM's formula: $6N + 12LCT$ operations a symbol, N the weights of all matrices that multiply; AdamW 16 a weight.

    Positions multiply nothing.  What lies between the products is some 100 operations a number of C, left out.
    """
    v, t, c, h, layers = shape
    updates, batch = tokens.shape[:2]
    n = 12 * layers * c * c + v * c
    flops = batch * t * (6 * n + 12 * layers * c * t) + 16 * weights.size
    moved = 7 * weights.nbytes + 2 * tokens[0].nbytes
    memory = 4 * (batch * t * c * (30 * layers + 30) + batch * h * t * t * (2 * layers + 4) + 3 * batch * t * v)
    return Cost(updates * flops, updates * moved, memory + 10 * weights.nbytes)


def cost_of_nodes(weights, tokens, targets, shape):
    """The same; a third of the operations are made on the way forwards, each a node of some 600 bytes."""
    same = cost(weights, tokens, targets, shape)
    return Cost(same.flops, same.bytes, same.memory + 200 * same.flops / len(tokens))


def picture(figure, weights, tokens, targets, shape):
    """The loss of these minibatches, taken again and again, and what the heads then look at."""
    draw(figure, by_hand, weights, tokens, targets, shape)


exact, BOUNDS = oracle_and_bounds(train)


def row(function, rung, cost=cost, **more):
    """An implementation: all do the same, and round within the same bounds."""
    return Implementation(function, rung, cost=cost, bound=BOUNDS, **more)


REAL = {"context": 3, "width": 4, "heads": 2, "layers": 1, "batch": 2, "updates": 2}

EXPERIMENT = Experiment(
    problems=(
        Problem(symbols, small=SMALL, awkward=AWKWARD),
        Problem(saturated, kind="hard", small=SMALL, awkward=AWKWARD),
        Problem(python_docs, kind="real", small=REAL),
    ),
    dtypes=("float32",),
    oracle=exact,
    laws=LAWS,
    implementations=(
        row(number_tape, "textbook", cost_of_nodes),
        row(array_tape, "vectorised"),
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
