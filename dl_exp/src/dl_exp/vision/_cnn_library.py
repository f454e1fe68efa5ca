"""What a user would pick: MLX's own layers and optimiser; PyTorch as the peer."""

from __future__ import annotations

import functools

from dl_exp.vision._cnn_model import KERNEL, PADDING


def mlx_nn(weights, x, labels, rates, shape):
    """mlx.nn's layers, cross_entropy and optimizers.SGD, the step compiled as MLX's documentation advises."""
    import mlx.core as mx

    model, optimiser, step = _mlx_model(shape)
    parts = shape.layout.unpack(weights)
    layers = [layer for layer in model.layers if isinstance(layer, dict) and "weight" in layer]
    for layer, W, b in zip(layers, parts[::2], parts[1::2], strict=True):
        layer.update({"weight": W.T.reshape(layer.weight.shape), "bias": b})
    losses = []
    for images, targets, rate in zip(x, labels, rates, strict=True):
        optimiser.learning_rate = rate
        losses.append(step(images[..., None], targets))
        mx.eval(losses[-1], model.state, optimiser.state)
    trained = [part for layer in layers for part in (layer.weight.reshape(layer.bias.size, -1).T, layer.bias)]
    return mx.stack(losses), shape.layout.pack(trained)


@functools.cache
def _mlx_model(shape):
    import mlx.core as mx
    from mlx import nn, optimizers

    model = nn.Sequential(
        nn.Conv2d(1, shape.first, KERNEL, padding=PADDING), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(shape.first, shape.second, KERNEL), nn.Tanh(), nn.AvgPool2d(2),
        lambda a: a.reshape(len(a), -1),
        nn.Linear(shape.features, shape.hidden), nn.Tanh(),
        nn.Linear(shape.hidden, shape.last), nn.Tanh(), nn.Linear(shape.last, shape.classes),
    )  # fmt: skip
    optimiser = optimizers.SGD(0.1)
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


def torch_eager(weights, x, labels, rates, shape):
    """PyTorch: nn.Conv2d, nn.Linear, cross_entropy and optim.SGD; its images have their channels in front."""
    import torch

    model, optimiser = _torch_model(shape)
    layers = [layer for layer in model if hasattr(layer, "weight")]
    parts, channels = shape.layout.unpack(weights), (1, shape.first)
    with torch.no_grad():
        for place, layer in enumerate(layers):
            W, b = (torch.from_numpy(part) for part in parts[2 * place : 2 * place + 2])
            if place < 2:
                W = W.reshape(KERNEL, KERNEL, channels[place], -1).permute(3, 2, 0, 1)
            elif place == 2:  # features are (row, column, channel) here, (channel, row, column) in PyTorch
                W = W.reshape(shape.places // 2, shape.places // 2, shape.second, -1).permute(3, 2, 0, 1).flatten(1)
            else:
                W = W.T
            layer.weight.copy_(W)
            layer.bias.copy_(b)
    losses = []
    for images, targets, rate in zip(torch.from_numpy(x), torch.from_numpy(labels).long(), rates.tolist(), strict=True):
        optimiser.param_groups[0]["lr"] = rate
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images[:, None]), targets)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    trained = []
    for place, layer in enumerate(layers):
        W = layer.weight.detach()
        if place == 2:
            W = W.reshape(-1, shape.second, shape.places // 2, shape.places // 2)
        W = W.permute(2, 3, 1, 0) if place < 3 else W.T
        trained += [W.reshape(-1, len(layer.bias)).numpy(), layer.bias.detach().numpy()]
    return torch.stack(losses).numpy(), shape.layout.pack(trained)


@functools.cache
def _torch_model(shape):
    from torch import nn, optim

    model = nn.Sequential(
        nn.Conv2d(1, shape.first, KERNEL, padding=PADDING), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(shape.first, shape.second, KERNEL), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(shape.features, shape.hidden), nn.Tanh(),
        nn.Linear(shape.hidden, shape.last), nn.Tanh(), nn.Linear(shape.last, shape.classes),
    )  # fmt: skip
    return model, optim.SGD(model.parameters(), 0.1)
