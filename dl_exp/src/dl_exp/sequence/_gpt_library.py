"""What a user would pick: MLX's own layers and optimiser; PyTorch's as the peer."""

from __future__ import annotations

import functools

from dl_exp.engine.layernorm import EPSILON
from dl_exp.engine.shape import Layer, Weights, unpacked
from dl_exp.sequence._gpt_model import ADAMW, ladder_rate


def mlx_nn(weights, tokens, targets, shape):
    """mlx.nn's layers, clip_grad_norm and AdamW, the step compiled as MLX's documentation advises."""
    import mlx.core as mx

    model, optimiser, step = _mlx_model(shape, str(mx.default_device()))
    w = unpacked(weights, shape)
    model.update(
        {
            "tokens": {"weight": w.tokens},
            "positions": {"weight": w.positions},
            "norm": {"weight": w.norm},
            "layers": [
                {
                    "qkv": {"weight": layer.qkv.T},
                    "out": {"weight": layer.out.T},
                    "up": {"weight": layer.up.T},
                    "down": {"weight": layer.down.T},
                    "norm1": {"weight": layer.norm1},
                    "norm2": {"weight": layer.norm2},
                }
                for layer in w.layers
            ],
        }
    )
    forget(optimiser.state)
    losses = []
    for i, (x, y) in enumerate(zip(tokens, targets, strict=True)):
        optimiser.learning_rate = ladder_rate(i)
        losses.append(step(x, y))
        mx.eval(losses[-1], model.state, optimiser.state)
    layers = tuple(
        Layer(
            *(getattr(layer, name).weight.T for name in ("qkv", "out", "up", "down")),
            layer.norm1.weight,
            layer.norm2.weight,
        )
        for layer in model.layers
    )
    return mx.stack(losses), packed(
        Weights(model.tokens.weight, model.positions.weight, layers, model.norm.weight), shape
    )


def forget(state):
    """The optimiser's means and its count back to 0, where they are: the compiled step knows these containers."""
    import mlx.core as mx

    for key, value in state.items() if isinstance(state, dict) else enumerate(state):
        if isinstance(value, mx.array):
            state[key] = mx.zeros_like(value)
        else:
            forget(value)


def packed(w: Weights, shape):
    """The flat vector again."""
    from exp_core.tensor import namespace

    xp = namespace(w.norm)
    stacked = [xp.stack(list(each)) for each in zip(*w.layers, strict=True)]
    return shape.layout.pack([w.tokens, w.positions, *stacked, w.norm])


@functools.lru_cache(maxsize=4)
def _mlx_model(shape, device):
    import mlx.core as mx
    from mlx import nn, optimizers

    c = shape.width

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = (nn.LayerNorm(c, EPSILON, bias=False) for _ in range(2))
            self.qkv, self.out = nn.Linear(c, 3 * c, bias=False), nn.Linear(c, c, bias=False)
            self.up, self.down = nn.Linear(c, 4 * c, bias=False), nn.Linear(4 * c, c, bias=False)

        def __call__(self, x):
            qkv = mx.split(self.qkv(self.norm1(x)), 3, axis=-1)
            q, k, v = (part.reshape(*x.shape[:2], shape.heads, -1).swapaxes(1, 2) for part in qkv)
            y = mx.fast.scaled_dot_product_attention(q, k, v, scale=q.shape[-1] ** -0.5, mask="causal")
            x = x + self.out(y.swapaxes(1, 2).reshape(x.shape))
            return x + self.down(nn.gelu_approx(self.up(self.norm2(x))))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.positions = nn.Embedding(shape.vocabulary, c), nn.Embedding(shape.context, c)
            self.layers = [Block() for _ in range(shape.layers)]
            self.norm = nn.LayerNorm(c, EPSILON, bias=False)

        def __call__(self, tokens):
            x = self.tokens(tokens) + self.positions(mx.arange(tokens.shape[1]))
            for layer in self.layers:
                x = layer(x)
            return self.tokens.as_linear(self.norm(x))

    model = Model()
    options = {"betas": [ADAMW.beta1, ADAMW.beta2], "eps": ADAMW.epsilon, "bias_correction": True}
    optimiser = optimizers.MultiOptimizer(
        [
            optimizers.AdamW(ladder_rate(0), weight_decay=ADAMW.decay, **options),
            optimizers.AdamW(ladder_rate(0), weight_decay=0.0, **options),
        ],
        [lambda name, weight: "norm" not in name],
    )
    optimiser.init(model.trainable_parameters())
    state = [model.state, optimiser.state]
    loss_and_gradient = nn.value_and_grad(model, lambda x, y: nn.losses.cross_entropy(model(x), y, reduction="mean"))

    @functools.partial(mx.compile, inputs=state, outputs=state)
    def step(x, y):
        loss, gradient = loss_and_gradient(x, y)
        optimiser.update(model, optimizers.clip_grad_norm(gradient, ADAMW.clip)[0])
        return loss

    return model, optimiser, step
