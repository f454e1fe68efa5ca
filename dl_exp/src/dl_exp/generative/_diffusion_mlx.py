"""The step in MLX: the loss is written down, its gradient is MLX's."""

from __future__ import annotations

import functools

from dl_exp.averaging import averaged
from dl_exp.generative._diffusion_model import BETA1, BETA2, EPSILON, RATE, corrections
from dl_exp.generative._diffusion_schedule import clock, scales


def mlx_grad(weights, x0, noise, times, shape):
    """The loss alone is written down; mx.value_and_grad finds the way back, on the device."""
    return run(step(shape), fresh(weights), (x0, noise, times), 0)[:2]


def mlx_compiled(weights, x0, noise, times, shape):
    """The same graph, compiled once: its elementwise operations are fused, and Python is asked no more."""
    return run(compiled_step(shape), fresh(weights), (x0, noise, times), 0)[:2]


def fresh(weights):
    """Weights, and Adam's two means at zero."""
    import mlx.core as mx

    return weights, mx.zeros_like(weights), mx.zeros_like(weights)


def run(update, state, batches, before):
    """Losses, then weights and means after as many updates as there are batches; ``before`` were made already."""
    import mlx.core as mx

    losses = []
    for k, batch in enumerate(zip(*batches, strict=True), before + 1):
        loss, *state = update(*state, *batch, mx.array([RATE, *corrections(k)]))
        mx.eval(loss, state)
        losses.append(loss)
    return mx.stack(losses), *state


@functools.cache
def loss_and_gradient(shape):
    """(weights, x0, noise, times) -> (loss, its gradient)."""
    import mlx.core as mx

    def loss_of(weights, x0, noise, times):
        W1, b1, W2, b2, W3, b3, W4, b4 = shape.layout.unpack(weights)
        signal, spread = (mx.array(scale)[times][:, None] for scale in scales())
        x = mx.concatenate([signal * x0 + spread * noise, mx.array(clock())[times]], axis=1)
        h3 = silu(silu(silu(x @ W1 + b1) @ W2 + b2) @ W3 + b3)
        return mx.mean(mx.square(h3 @ W4 + b4 - (signal * noise - spread * x0)))

    def silu(z):
        return z * mx.sigmoid(z)

    return mx.value_and_grad(loss_of)


def adam(weights, m, v, gradient, told):
    """Weights and means after one step; ``told``: the learning rate and the two ``corrections``."""
    import mlx.core as mx

    m = BETA1 * m + (1 - BETA1) * gradient
    v = BETA2 * v + (1 - BETA2) * gradient * gradient
    return weights - told[0] * (m / told[1]) / (mx.sqrt(v / told[2]) + EPSILON), m, v


@functools.cache
def step(shape):
    """One update: (weights, m, v, x0, noise, times, told) -> (loss, weights, m, v)."""

    def update(weights, m, v, x0, noise, times, told):
        loss, gradient = loss_and_gradient(shape)(weights, x0, noise, times)
        return loss, *adam(weights, m, v, gradient, told)

    return update


@functools.cache
def compiled_step(shape):
    """The same graph, compiled."""
    import mlx.core as mx

    return mx.compile(step(shape))


@functools.cache
def shared_step(shape):
    """The same for a process among others, each with its part of the batch: compiled alone, averaged in between."""
    import mlx.core as mx

    of_all, descend = averaged(mx.compile(loss_and_gradient(shape))), mx.compile(adam)

    def update(weights, m, v, x0, noise, times, told):
        loss, gradient = of_all(weights, x0, noise, times)
        return loss, *descend(weights, m, v, gradient, told)

    return update if mx.distributed.init().size() > 1 else compiled_step(shape)
