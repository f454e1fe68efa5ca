"""What a user would pick: mlx.optimizers; PyTorch's fused ones as the peer."""

from __future__ import annotations

import functools


def mlx_optimizers(w, a, c, updates, rule):
    """mlx.optimizers.SGD, RMSprop, Adam and AdamW."""
    import mlx.core as mx

    optimiser = _mlx_optimiser(rule)
    parameters, losses = {"w": w}, []
    optimiser.init(parameters)
    for _ in range(updates):
        g = a * (parameters["w"] - c)
        losses.append(mx.mean(0.5 * g * (parameters["w"] - c)))
        parameters = optimiser.apply_gradients({"w": g}, parameters)
        mx.eval(losses[-1], parameters, optimiser.state)
    return mx.stack(losses), parameters["w"]


def mlx_optimizers_compiled(w, a, c, updates, rule):
    """The same, the whole step in mx.compile, as MLX's documentation advises."""
    import mlx.core as mx

    optimiser, step = _mlx_step(rule)
    optimiser.state.update(_fresh(rule, w))
    losses = []
    for _ in range(updates):
        loss, w = step(w, a, c)
        mx.eval(loss, w, optimiser.state)
        losses.append(loss)
    return mx.stack(losses), w


def _fresh(rule, w):
    """The state of an optimiser that has seen nothing."""
    optimiser = _mlx_optimiser(rule)
    optimiser.init({"w": w})
    return optimiser.state


@functools.cache
def _mlx_step(rule):
    import mlx.core as mx

    optimiser = _mlx_optimiser(rule)
    optimiser.init({"w": mx.zeros(1)})

    @functools.partial(mx.compile, inputs=optimiser.state, outputs=optimiser.state)
    def step(w, a, c):
        g = a * (w - c)
        loss = mx.mean(0.5 * g * (w - c))
        return loss, optimiser.apply_gradients({"w": g}, {"w": w})["w"]

    return optimiser, step


def _mlx_optimiser(rule):
    from mlx import optimizers

    betas = [rule.beta1, rule.beta2]
    if rule.method == "sgd":
        return optimizers.SGD(rule.rate)
    if rule.method == "momentum":
        return optimizers.SGD(rule.rate, momentum=rule.beta1)
    if rule.method == "rmsprop":
        return optimizers.RMSprop(rule.rate, alpha=rule.beta2, eps=rule.epsilon)
    if rule.method == "adam":
        return optimizers.Adam(rule.rate, betas=betas, eps=rule.epsilon, bias_correction=True)
    return optimizers.AdamW(rule.rate, betas=betas, eps=rule.epsilon, weight_decay=rule.decay, bias_correction=True)


def torch_optim(w, a, c, updates, rule):
    """torch.optim.SGD, RMSprop, Adam and AdamW, fused where PyTorch has it."""
    import torch

    parameter = torch.nn.Parameter(torch.from_numpy(w.copy()))
    optimiser, losses = _torch_optimiser(rule, parameter), []
    a, c = torch.from_numpy(a), torch.from_numpy(c)
    with torch.no_grad():
        for _ in range(updates):
            parameter.grad = a * (parameter - c)
            losses.append(torch.mean(0.5 * parameter.grad * (parameter - c)))
            optimiser.step()
    return torch.stack(losses).numpy(), parameter.detach().numpy()


def _torch_optimiser(rule, parameter):
    from torch import optim

    betas = (rule.beta1, rule.beta2)
    if rule.method in ("sgd", "momentum"):
        return optim.SGD([parameter], rule.rate, momentum=rule.beta1 * (rule.method == "momentum"), fused=True)
    if rule.method == "rmsprop":
        return optim.RMSprop([parameter], rule.rate, alpha=rule.beta2, eps=rule.epsilon)
    if rule.method == "adam":
        return optim.Adam([parameter], rule.rate, betas, rule.epsilon, fused=True)
    return optim.AdamW([parameter], rule.rate, betas, rule.epsilon, rule.decay, fused=True)
