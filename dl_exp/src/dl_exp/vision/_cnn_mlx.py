"""LeNet in MLX: the way forward is written down, with MLX's own convolution; its gradient is MLX's."""

from __future__ import annotations

import functools

from dl_exp import elementwise
from dl_exp.averaging import averaged
from dl_exp.vision._cnn_model import KERNEL, PADDING


@functools.cache
def loss_and_gradient(shape, tanh=None):
    """(weights, images, targets) -> (loss, its gradient); tanh: MLX's own, or another one."""
    import mlx.core as mx

    tanh = tanh or mx.tanh

    def halved(x):
        n, side, _, channels = x.shape
        return mx.mean(x.reshape(n, side // 2, 2, side // 2, 2, channels), axis=(2, 4))

    def convolved(x, W, b, padding):
        kernel = W.T.reshape(W.shape[1], KERNEL, KERNEL, x.shape[-1])
        return tanh(mx.conv2d(x, kernel, padding=padding) + b)

    def loss_of(weights, images, targets):
        W1, b1, W2, b2, W3, b3, W4, b4, W5, b5 = shape.layout.unpack(weights)
        a = halved(convolved(images[..., None], W1, b1, PADDING))
        a = halved(convolved(a, W2, b2, 0)).reshape(len(images), shape.features)
        z = tanh(tanh(a @ W3 + b3) @ W4 + b4) @ W5 + b5
        chosen = mx.take_along_axis(z, targets[:, None], axis=1)[:, 0]
        return mx.mean(mx.logsumexp(z, axis=1) - chosen)

    return mx.value_and_grad(loss_of)


@functools.cache
def compiled_gradient(shape):
    """The same graph, compiled, with a tanh that a CPU does many of at once (``dl_exp.elementwise``)."""
    import mlx.core as mx

    return mx.compile(loss_and_gradient(shape, elementwise.tanh))


def run(gradient_of, weights, x, labels, rates):
    """Descent; under mlx.launch with the mean of all processes' gradients."""
    import mlx.core as mx

    gradient_of, losses = averaged(gradient_of), []
    for images, targets, rate in zip(x, labels, rates, strict=True):
        loss, gradient = gradient_of(weights, images, targets)
        weights = weights - rate * gradient
        mx.eval(loss, weights)
        losses.append(loss)
    return mx.stack(losses), weights


def mlx_grad(weights, x, labels, rates, shape):
    """The loss alone is written down, with mx.conv2d; mx.value_and_grad finds the way back, on the device."""
    return run(loss_and_gradient(shape), weights, x, labels, rates)


def mlx_compiled(weights, x, labels, rates, shape):
    """The same graph, compiled once, its tanh in vector instructions on a CPU too."""
    return run(compiled_gradient(shape), weights, x, labels, rates)
