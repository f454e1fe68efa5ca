"""Autograd: the gradient of a network, from a graph of single numbers to one that is traced and compiled.

Problem   A network of two rectified layers has the score f(x) for n points with labels $y = \\pm 1$.  Find the loss,
          the mean of $\\max(0, 1 - y f(x))$ plus $10^{-4} \\|w\\|^2$, and its gradient by all P weights.
Idea      Each operation knows its own derivative.  Remember what was computed from what, then walk back from the loss
          and multiply: the chain rule, at a small multiple of the loss's own cost, however many the weights.
Look for  The scalar tape makes a Python object for every multiplication; one for a whole matrix does the same work with
          a thousandth of them.  Traced through mx.compile, our tape leaves the graph that the library's own does.
          For so small a network asking costs more than computing: NumPy, which asks for less, is ahead of MLX on a
          CPU until mx.compile has taken Python out of the way.
Source    A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. (2008), doi:10.1137/1.9780898717761, chapter 3.
          A. Karpathy, micrograd (2020), whose demo this network is: 2-16-16-1, 337 weights, two moons.
"""

from __future__ import annotations

import functools

import numpy as np

from dl_exp import tape
from dl_exp.foundations._autograd_laws import LAWS, bounds_of, complex_step, cost
from dl_exp.foundations._autograd_model import DECAY, loss_of
from dl_exp.foundations._autograd_picture import picture
from dl_exp.foundations._autograd_problems import AWKWARD, SMALL, moons, uneven
from dl_exp.foundations._autograd_scalar import Value, network
from dl_exp.foundations._autograd_training import TRAINING
from exp_core import Experiment, Implementation, Problem


def scalar_tape(weights, x, y, shape):
    """A node for every number: what each was computed from, and its derivative by that."""
    nodes = [Value(w) for w in weights.tolist()]
    loss = Value(0.0)
    for point, label in zip(x.tolist(), y.tolist(), strict=True):
        loss = loss + (1 + -label * network(nodes, point, shape)).relu() * (1 / len(y))
    for w in nodes:
        loss = loss + DECAY * (w * w)
    loss.backward()
    return np.asarray(loss.data, weights.dtype), np.array([node.grad for node in nodes], weights.dtype)


def tensor_tape(weights, x, y, shape):
    """A node for every array: the same walk back, with a matrix product where there were a thousand multiplications."""
    parts = [tape.Tensor(part) for part in shape.layout.unpack(weights)]
    loss = loss_of(parts, tape.Tensor(x), y[:, None], tape.relu, tape.mean, tape.total)
    return loss.value, shape.layout.pack(tape.gradient(loss, parts))


def tensor_tape_mlx(weights, x, y, shape):
    """The same lines on MLX's arrays: nothing is computed before somebody asks, on whichever device."""
    return tensor_tape(weights, x, y, shape)


def tensor_tape_compiled(weights, x, y, shape):
    """The tape traced by mx.compile: Python walks back once, the device every time."""
    return _traced(shape)(weights, x, y)


def mx_grad(weights, x, y, shape):
    """mx.value_and_grad: MLX's own tape, in C++."""
    return _library(shape)(weights, x, y)


def mx_grad_compiled(weights, x, y, shape):
    """The same in mx.compile."""
    return _library_compiled(shape)(weights, x, y)


@functools.cache
def _traced(shape):
    import mlx.core as mx

    return mx.compile(lambda weights, x, y: tensor_tape(weights, x, y, shape))


@functools.cache
def _library(shape):
    import mlx.core as mx

    def loss(weights, x, y):
        parts = shape.layout.unpack(weights)
        return loss_of(parts, x, y[:, None], lambda z: mx.maximum(z, 0), mx.mean, mx.sum)

    return mx.value_and_grad(loss)


@functools.cache
def _library_compiled(shape):
    import mlx.core as mx

    return mx.compile(_library(shape))


BOUNDS = bounds_of(tensor_tape)


def row(function, rung, **more):
    """An implementation: all do the same, and round within the same bounds."""
    return Implementation(function, rung, cost=cost, bound=BOUNDS, **more)


EXPERIMENT = Experiment(
    problems=(Problem(moons, small=SMALL, awkward=AWKWARD), Problem(uneven, kind="hard", small=SMALL, awkward=AWKWARD)),
    oracle=complex_step,
    laws=LAWS,
    implementations=(
        row(scalar_tape, "textbook"),
        row(tensor_tape, "vectorised"),
        row(tensor_tape_mlx, "vectorised", arrays="mlx"),
        row(tensor_tape_compiled, "compiled", arrays="mlx"),
        row(mx_grad, "library", arrays="mlx"),
        row(mx_grad_compiled, "library", arrays="mlx"),
    ),
    picture=picture,
    training=TRAINING,
)
