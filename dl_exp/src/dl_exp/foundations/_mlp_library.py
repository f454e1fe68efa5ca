"""What a user would pick: MLX's own layers and optimiser; PyTorch as the peer."""

from __future__ import annotations

import functools

from dl_exp.foundations._mlp_model import RATE


def mlx_nn(weights, x, labels, shape):
    """mlx.nn.Linear, nn.losses.cross_entropy and optimizers.SGD, the step compiled as MLX's documentation advises."""
    import mlx.core as mx

    model, optimiser, step = _mlx_model(shape)
    W1, b1, W2, b2 = shape.layout.unpack(weights)
    model.update({"layers": [{"weight": W1.T, "bias": b1}, {}, {"weight": W2.T, "bias": b2}]})
    losses = []
    for images, targets in zip(x, labels, strict=True):
        losses.append(step(images, targets))
        mx.eval(losses[-1], model.state, optimiser.state)
    lower, upper = model.layers[0], model.layers[2]
    return mx.stack(losses), shape.layout.pack([lower.weight.T, lower.bias, upper.weight.T, upper.bias])


@functools.cache
def _mlx_model(shape):
    import mlx.core as mx
    from mlx import nn, optimizers

    d, h, c = shape
    model = nn.Sequential(nn.Linear(d, h), nn.Tanh(), nn.Linear(h, c))
    optimiser = optimizers.SGD(RATE)
    state = [model.state, optimiser.state]

    def loss_of(images, targets):
        return nn.losses.cross_entropy(model(images), targets, reduction="mean")

    loss_and_gradient = nn.value_and_grad(model, loss_of)

    @functools.partial(mx.compile, inputs=state, outputs=state)
    def step(images, targets):
        loss, gradients = loss_and_gradient(images, targets)
        optimiser.update(model, gradients)
        return loss

    return model, optimiser, step


def torch_eager(weights, x, labels, shape):
    """PyTorch: nn.Linear, cross_entropy and optim.SGD."""
    import torch

    model, optimiser = _torch_model(shape)
    W1, b1, W2, b2 = shape.layout.unpack(weights)
    lower, upper = model[0], model[2]
    with torch.no_grad():
        for parameter, values in ((lower.weight, W1.T), (lower.bias, b1), (upper.weight, W2.T), (upper.bias, b2)):
            parameter.copy_(torch.from_numpy(values))
    losses = []
    for images, targets in zip(torch.from_numpy(x), torch.from_numpy(labels).long(), strict=True):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images), targets)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    parts = [lower.weight.T, lower.bias, upper.weight.T, upper.bias]
    return torch.stack(losses).numpy(), shape.layout.pack([part.detach().numpy() for part in parts])


@functools.cache
def _torch_model(shape):
    import torch

    d, h, c = shape
    model = torch.nn.Sequential(torch.nn.Linear(d, h), torch.nn.Tanh(), torch.nn.Linear(h, c))
    return model, torch.optim.SGD(model.parameters(), RATE)
