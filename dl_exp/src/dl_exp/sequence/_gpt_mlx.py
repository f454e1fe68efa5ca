"""The GPT in MLX: the loss is written down, its gradient is MLX's; exponentials are dl_exp.elementwise's."""

from __future__ import annotations

import functools
import math

from dl_exp.averaging import averaged
from dl_exp.engine.layernorm import EPSILON
from dl_exp.engine.shape import Shape, unpacked
from dl_exp.engine.trainer import CLIPPED
from dl_exp.sequence._gpt_model import ADAMW


def loss_of(weights, tokens, targets, shape: Shape):
    """The mean cross-entropy of sequences, (B, T), as a graph."""
    import mlx.core as mx

    from dl_exp import elementwise

    w = unpacked(weights, shape)
    (b, t), c, heads = tokens.shape, shape.width, shape.heads
    future = mx.triu(mx.full((t, t), -math.inf), 1)
    x = w.tokens[tokens] + w.positions[:t]
    for layer in w.layers:
        qkv = mx.fast.layer_norm(x, layer.norm1, None, EPSILON) @ layer.qkv
        q, k, v = (part.reshape(b, t, heads, -1).swapaxes(1, 2) for part in mx.split(qkv, 3, axis=-1))
        s = (q * (c // heads) ** -0.5) @ k.swapaxes(-1, -2) + future
        y = (elementwise.softmax(s) @ v).swapaxes(1, 2).reshape(b, t, c)
        x = x + y @ layer.out
        up = mx.fast.layer_norm(x, layer.norm2, None, EPSILON) @ layer.up
        x = x + elementwise.gelu_tanh(up) @ layer.down
    z = mx.fast.layer_norm(x, w.norm, None, EPSILON) @ w.tokens.T
    chosen = mx.take_along_axis(elementwise.log_softmax(z), targets[..., None], axis=-1)
    return -mx.mean(chosen)


def loss_and_gradient(shape: Shape):
    """(weights, tokens, targets) -> (loss, its gradient)."""
    import mlx.core as mx

    return mx.value_and_grad(lambda weights, tokens, targets: loss_of(weights, tokens, targets, shape))


def adamw(shape: Shape):
    """The step along a gradient: (loss, gradient, weights, m, v, eta, number) -> (loss, weights, m, v)."""
    import mlx.core as mx

    def step(loss, g, weights, m, v, eta, number):
        g = g * mx.minimum(1.0, ADAMW.clip / (mx.sqrt(mx.sum(g * g)) + CLIPPED))
        m = ADAMW.beta1 * m + (1 - ADAMW.beta1) * g
        v = ADAMW.beta2 * v + (1 - ADAMW.beta2) * (g * g)
        first, second = 1 - mx.power(ADAMW.beta1, number), 1 - mx.power(ADAMW.beta2, number)
        decays = mx.arange(weights.size) < shape.matrices
        weights = weights * mx.where(decays, 1 - eta * ADAMW.decay, 1.0)
        return loss, weights - (eta / first) * m / (mx.sqrt(v / second) + ADAMW.epsilon), m, v

    return step


def update(shape: Shape):
    """One step: (weights, m, v, tokens, targets, eta, number) -> (loss, weights, m, v); the last two are numbers."""
    return together(loss_and_gradient(shape), adamw(shape))


def together(gradient_of, descend):
    """Both halves of a step."""

    def step(weights, m, v, tokens, targets, eta, number):
        return descend(*gradient_of(weights, tokens, targets), weights, m, v, eta, number)

    return step


@functools.lru_cache(maxsize=4)
def compiled_update(shape: Shape, device: str):
    """The same graph, compiled for a device; its halves apart where other processes have parts of the batch."""
    import mlx.core as mx

    if mx.distributed.init().size() == 1:
        return mx.compile(update(shape))
    return together(averaged(mx.compile(loss_and_gradient(shape))), mx.compile(adamw(shape)))


def run(step, state, batches, rates, done: int):
    """All updates from a state (weights, m, v), one a rate, after ``done`` others; losses, and the state after."""
    import mlx.core as mx

    losses = []
    for number, (tokens, targets, eta) in enumerate(zip(*batches, rates, strict=True), done + 1):
        loss, *state = step(*state, tokens, targets, mx.array(float(eta)), mx.array(float(number)))
        mx.eval(loss, *state)
        losses.append(loss)
    return mx.stack(losses), state


def compiled_run(state, batches, rates, done: int, shape: Shape):
    """The same with the compiled step."""
    import mlx.core as mx

    return run(compiled_update(shape, str(mx.default_device())), state, batches, rates, done)
