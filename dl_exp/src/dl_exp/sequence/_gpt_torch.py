"""The GPT in PyTorch, as nanoGPT writes it: fused attention, AdamW without a loop over the weights."""

from __future__ import annotations

import functools

from dl_exp.engine.layernorm import EPSILON
from dl_exp.engine.shape import Layer, Weights, unpacked
from dl_exp.sequence._gpt_library import packed
from dl_exp.sequence._gpt_model import ADAMW, ladder_rate


def torch_eager(weights, tokens, targets, shape):
    """PyTorch: nn.functional with its fused attention, clip_grad_norm_ and AdamW."""
    import torch

    model = _forwards()
    flat = unpacked(torch.from_numpy(weights.copy()), shape)
    w = Weights(*(_leaves(each) for each in flat))
    layers = [weight for layer in w.layers for weight in layer]
    everything = [w.tokens, w.positions, *layers, w.norm]
    matrices = [weight for weight in everything if weight.dim() == 2]
    vectors = [weight for weight in everything if weight.dim() == 1]
    groups = [{"params": matrices, "weight_decay": ADAMW.decay}, {"params": vectors, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, betas=(ADAMW.beta1, ADAMW.beta2), eps=ADAMW.epsilon)
    losses = []
    for i, (x, y) in enumerate(zip(torch.from_numpy(tokens).long(), torch.from_numpy(targets).long(), strict=True)):
        for group in optimiser.param_groups:
            group["lr"] = ladder_rate(i)
        optimiser.zero_grad()
        logits = model(w, x, shape)
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, shape.vocabulary), y.reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(everything, ADAMW.clip)
        optimiser.step()
        losses.append(loss.detach())
    done = Weights(*(_arrays(each) for each in w))
    return torch.stack(losses).numpy(), packed(done, shape)


def _leaves(weight):
    """A weight, or a tuple of layers of them, to be trained."""
    if isinstance(weight, tuple):
        return tuple(Layer(*map(_leaves, layer)) for layer in weight)
    return weight.clone().requires_grad_()


def _arrays(weight):
    if isinstance(weight, tuple):
        return tuple(Layer(*map(_arrays, layer)) for layer in weight)
    return weight.detach().numpy()


@functools.cache
def _forwards():
    from torch.nn import functional

    def forwards(w, tokens, shape):
        (b, t), c = tokens.shape, shape.width
        x = w.tokens[tokens] + w.positions[:t]
        for layer in w.layers:
            qkv = functional.layer_norm(x, (c,), layer.norm1, None, EPSILON) @ layer.qkv
            q, k, v = (part.view(b, t, shape.heads, -1).transpose(1, 2) for part in qkv.split(c, dim=-1))
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + y.transpose(1, 2).reshape(b, t, c) @ layer.out
            up = functional.layer_norm(x, (c,), layer.norm2, None, EPSILON) @ layer.up
            x = x + functional.gelu(up, approximate="tanh") @ layer.down
        return functional.layer_norm(x, (c,), w.norm, None, EPSILON) @ w.tokens.T

    return forwards
