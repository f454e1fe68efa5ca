"""What a user would pick: MLX's own layers and optimiser; PyTorch as the peer."""

from __future__ import annotations

import functools

from dl_exp.generative._diffusion_model import BETA1, BETA2, EPSILON, RATE
from dl_exp.generative._diffusion_schedule import FEATURES, clock, scales


def mlx_nn(weights, x0, noise, times, shape):
    """mlx.nn.Linear, nn.SiLU and optimizers.Adam, the step compiled as MLX's documentation advises."""
    import mlx.core as mx
    from mlx.utils import tree_map

    model, optimiser, step = _mlx_model(shape)
    parts = shape.layout.unpack(weights)
    layers = [{"weight": W.T, "bias": b} for W, b in zip(parts[::2], parts[1::2], strict=True)]
    model.update({"layers": [layers[0], {}, layers[1], {}, layers[2], {}, layers[3]]})
    optimiser.state.update(tree_map(mx.zeros_like, optimiser.state) | {"learning_rate": mx.array(RATE)})
    losses = []
    for batch in zip(x0, noise, times, strict=True):
        losses.append(step(*batch))
        mx.eval(losses[-1], model.state, optimiser.state)
    trained = [part for layer in model.layers[::2] for part in (layer.weight.T, layer.bias)]
    return mx.stack(losses), shape.layout.pack(trained)


@functools.cache
def _mlx_model(shape):
    import mlx.core as mx
    from mlx import nn, optimizers

    d, h = shape
    model = nn.Sequential(
        nn.Linear(d + FEATURES, h), nn.SiLU(), nn.Linear(h, h), nn.SiLU(), nn.Linear(h, h), nn.SiLU(), nn.Linear(h, d)
    )
    optimiser = optimizers.Adam(RATE, [BETA1, BETA2], EPSILON, bias_correction=True)
    optimiser.init(model.trainable_parameters())
    state = [model.state, optimiser.state]

    def loss_of(x0, noise, times):
        signal, spread = (mx.array(scale)[times][:, None] for scale in scales())
        guess = model(mx.concatenate([signal * x0 + spread * noise, mx.array(clock())[times]], axis=1))
        return nn.losses.mse_loss(guess, signal * noise - spread * x0)

    loss_and_gradient = nn.value_and_grad(model, loss_of)

    @functools.partial(mx.compile, inputs=state, outputs=state)
    def step(x0, noise, times):
        loss, gradients = loss_and_gradient(x0, noise, times)
        optimiser.update(model, gradients)
        return loss

    return model, optimiser, step


def torch_eager(weights, x0, noise, times, shape):
    """PyTorch: nn.Linear, nn.SiLU, mse_loss and optim.Adam."""
    import torch

    model = _torch_model(shape)
    parts = shape.layout.unpack(weights)
    with torch.no_grad():
        for layer, W, b in zip(model[::2], parts[::2], parts[1::2], strict=True):
            layer.weight.copy_(torch.from_numpy(W).T)
            layer.bias.copy_(torch.from_numpy(b))
    optimiser = torch.optim.Adam(model.parameters(), RATE, (BETA1, BETA2), EPSILON)
    tables = [torch.from_numpy(table.copy()) for table in (*scales(), clock())]
    losses = []
    for clean, e, t in zip(*(torch.from_numpy(array) for array in (x0, noise, times)), strict=True):
        signal, spread, told = (table[t.long()] for table in tables)
        signal, spread = signal[:, None], spread[:, None]
        optimiser.zero_grad()
        guess = model(torch.cat([signal * clean + spread * e, told], dim=1))
        loss = torch.nn.functional.mse_loss(guess, signal * e - spread * clean)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    trained = [part.detach().numpy() for layer in model[::2] for part in (layer.weight.T, layer.bias)]
    return torch.stack(losses).numpy(), shape.layout.pack(trained)


@functools.cache
def _torch_model(shape):
    from torch.nn import Linear, Sequential, SiLU

    d, h = shape
    return Sequential(Linear(d + FEATURES, h), SiLU(), Linear(h, h), SiLU(), Linear(h, h), SiLU(), Linear(h, d))
