"""A GPT forwards and backwards, for the part of the batch that one thread has: gradients derived by hand.

The model is GPT-2's without biases.  From $x = E_{token} + E_{position}$ every layer goes on with
$x \\leftarrow x + \\mathrm{attention}(\\mathrm{norm}_1 x)\\,W_{out}$ and
$x \\leftarrow x + \\mathrm{GELU}(\\mathrm{norm}_2(x)\\,W_{up})\\,W_{down}$; the logits are
$\\mathrm{norm}(x)\\,E_{token}^T$.  Backwards the same lines in reverse: where $Y = X W$, $dX = dY W^T$ and
$dW = X^T dY$, and the residual stream passes its gradient on unchanged.  Each line is one compiled kernel,
which lets go of Python's lock while it works.
Source: A. Radford et al., Language Models are Unsupervised Multitask Learners (2019), section 2.3.
"""

from __future__ import annotations

import numpy as np

from dl_exp.engine.attention import attention, attention_backwards
from dl_exp.engine.cross_entropy import cross_entropy
from dl_exp.engine.embedding import embed, embed_backwards
from dl_exp.engine.gelu import gelu, gelu_backwards
from dl_exp.engine.layernorm import layernorm, layernorm_again, layernorm_backwards
from dl_exp.engine.product import product
from dl_exp.engine.shape import Weights
from dl_exp.engine.workspace import Workspace


def forwards(tokens: np.ndarray, w: Weights, k: Workspace, heads: int) -> None:
    """From tokens, (n, T), to k.logits; what the way back needs stays in the workspace k."""
    embed(tokens, w.tokens, w.positions, k.x)
    for layer, kept in zip(w.layers, k.layers, strict=True):
        layernorm(k.x, layer.norm1, kept.xhat1, kept.r1, k.normed)
        product(k.normed, layer.qkv, kept.qkv, False, k.panel)
        attention(kept.qkv, kept.p, kept.y, heads, k.panel)
        product(kept.y, layer.out, k.x, True, k.panel)
        layernorm(k.x, layer.norm2, kept.xhat2, kept.r2, k.normed)
        product(k.normed, layer.up, kept.up, False, k.panel)
        gelu(kept.up, k.wide)
        product(k.wide, layer.down, k.x, True, k.panel)
    layernorm(k.x, w.norm, k.xhat, k.r, k.normed)
    product(k.normed, w.tokens.T, k.logits, False, k.panel)


def backwards(tokens: np.ndarray, w: Weights, g: Weights, k: Workspace, heads: int) -> None:
    """From the gradient by the logits, in k.logits, to the gradient by every weight: g is overwritten."""
    product(k.logits.T, k.normed, g.tokens, False, k.panel)
    product(k.logits, w.tokens, k.d_normed, False, k.panel)
    for zeroed in (k.dx, g.positions, g.norm, *(norm for d in g.layers for norm in (d.norm1, d.norm2))):
        zeroed.fill(0)
    layernorm_backwards(k.d_normed, k.xhat, k.r, w.norm, k.dx, g.norm)
    for layer, d, kept in zip(reversed(w.layers), reversed(g.layers), reversed(k.layers), strict=True):
        product(k.dx, layer.down.T, k.d_wide, False, k.panel)
        gelu_backwards(kept.up, k.wide, k.d_wide)
        product(k.wide.T, k.dx, d.down, False, k.panel)
        layernorm_again(kept.xhat2, layer.norm2, k.normed)
        product(k.normed.T, k.d_wide, d.up, False, k.panel)
        product(k.d_wide, layer.up.T, k.d_normed, False, k.panel)
        layernorm_backwards(k.d_normed, kept.xhat2, kept.r2, layer.norm2, k.dx, d.norm2)

        product(kept.y.T, k.dx, d.out, False, k.panel)
        product(k.dx, layer.out.T, k.d_normed, False, k.panel)
        attention_backwards(kept.qkv, kept.p, k.d_normed, k.dqkv, heads, k.ds, k.panel)
        layernorm_again(kept.xhat1, layer.norm1, k.normed)
        product(k.normed.T, k.dqkv, d.qkv, False, k.panel)
        product(k.dqkv, layer.qkv.T, k.d_normed, False, k.panel)
        layernorm_backwards(k.d_normed, kept.xhat1, kept.r1, layer.norm1, k.dx, d.norm1)
    embed_backwards(tokens, k.dx, g.tokens, g.positions)


def loss_and_gradient(tokens, targets, w, g, k, heads, count):
    """The sum of the losses over tokens, (n, T); g: the gradient of that sum over ``count``."""
    forwards(tokens, w, k, heads)
    loss = cross_entropy(k.logits, targets.reshape(-1), count)
    backwards(tokens, w, g, k, heads)
    return loss


def loss_only(tokens, targets, w, k, heads):
    """The sum of the losses over tokens, (n, T)."""
    forwards(tokens, w, k, heads)
    return cross_entropy(k.logits, targets.reshape(-1), 1)
