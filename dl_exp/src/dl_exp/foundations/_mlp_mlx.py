"""The step in MLX: the loss is written down, its gradient is MLX's."""

from __future__ import annotations

import functools

from dl_exp import elementwise
from dl_exp.averaging import averaged
from dl_exp.foundations._mlp_model import RATE


@functools.cache
def loss_and_gradient(shape, tanh=None):
    """(weights, images, targets) -> (loss, its gradient); tanh: MLX's own, or another one."""
    import mlx.core as mx

    tanh = tanh or mx.tanh

    def loss_of(weights, images, targets):
        W1, b1, W2, b2 = shape.layout.unpack(weights)
        z = tanh(images @ W1 + b1) @ W2 + b2
        chosen = mx.take_along_axis(z, targets[:, None], axis=1)[:, 0]
        return mx.mean(mx.logsumexp(z, axis=1) - chosen)

    return mx.value_and_grad(loss_of)


@functools.cache
def step(shape, tanh=None):
    """One update: (weights, images, targets) -> (loss, weights)."""

    def update(weights, images, targets):
        loss, gradient = loss_and_gradient(shape, tanh)(weights, images, targets)
        return loss, weights - RATE * gradient

    return update


@functools.cache
def compiled_step(shape):
    """The same graph, compiled, with a tanh that a CPU does many of at once (``dl_exp.elementwise``)."""
    import mlx.core as mx

    return mx.compile(step(shape, elementwise.tanh))


@functools.cache
def shared_step(shape):
    """The same for a process among others, each with its part of the batch: compiled alone, averaged in between."""
    import mlx.core as mx

    of_all = averaged(mx.compile(loss_and_gradient(shape, elementwise.tanh)))

    def update(weights, images, targets):
        loss, gradient = of_all(weights, images, targets)
        return loss, weights - RATE * gradient

    return update if mx.distributed.init().size() > 1 else compiled_step(shape)
