"""The GPT in NumPy: forwards and backwards, formula by formula, a batch at a time.

Letters as in ``dl_exp.engine``: B sequences of T tokens, C wide, H heads of D; x is the residual stream, (B, T, C).
"""

from __future__ import annotations

import math

import numpy as np

from dl_exp.engine.gelu import CUBE
from dl_exp.engine.layernorm import EPSILON
from dl_exp.engine.shape import Layer, Shape, Weights, unpacked
from dl_exp.engine.trainer import CLIPPED
from dl_exp.sequence._gpt_model import ADAMW, ladder_rate

NEVER = -1e9  # added to a score: its exponential is 0
ROOT = math.sqrt(2 / math.pi)


def forwards(w: Weights, tokens, shape: Shape):
    """Logits (B, T, V), and what the way back needs."""
    x, kept = w.tokens[tokens] + w.positions[: tokens.shape[1]], []
    for layer in w.layers:
        h, norm1 = layer_norm(x, layer.norm1)
        y, attended = attention(h @ layer.qkv, shape.heads)
        x = x + y @ layer.out
        h2, norm2 = layer_norm(x, layer.norm2)
        up = h2 @ layer.up
        a, slope = gelu(up)
        x = x + a @ layer.down
        kept.append((h, norm1, y, attended, h2, norm2, a, slope))
    h, norm = layer_norm(x, w.norm)
    return h @ w.tokens.T, (kept, h, norm)


def backwards(w: Weights, g: Weights, tokens, dz, memory, shape: Shape):
    """From dz, the gradient by the logits, to g, that by every weight, which is overwritten."""
    kept, h, norm = memory
    hot = np.eye(shape.vocabulary)[tokens.reshape(-1)]  # (B T, V)
    dx, g.norm[...] = layer_norm_backwards(dz @ w.tokens, w.norm, norm)
    for layer, d, saved in zip(reversed(w.layers), reversed(g.layers), reversed(kept), strict=True):
        dx = layer_backwards(layer, d, saved, dx, shape.heads)
    g.tokens[...] = rows(dz).T @ rows(h) + hot.T @ rows(dx)
    g.positions[...] = 0
    g.positions[: tokens.shape[1]] = np.sum(dx, axis=0)


def layer_backwards(layer: Layer, d: Layer, saved, dx, heads):
    """The gradient by the residual stream below the layer; those by its weights go to d."""
    h, norm1, y, attended, h2, norm2, a, slope = saved
    d.down[...] = rows(a).T @ rows(dx)
    up = (dx @ layer.down.T) * slope
    d.up[...] = rows(h2).T @ rows(up)
    through, d.norm2[...] = layer_norm_backwards(up @ layer.up.T, layer.norm2, norm2)
    dx = dx + through
    d.out[...] = rows(y).T @ rows(dx)
    qkv = attention_backwards(dx @ layer.out.T, attended, heads)
    d.qkv[...] = rows(h).T @ rows(qkv)
    through, d.norm1[...] = layer_norm_backwards(qkv @ layer.qkv.T, layer.norm1, norm1)
    return dx + through


def layer_norm(x, gain):
    """$g \\hat x$, and $\\hat x$ with $1/\\sigma$."""
    x = x - np.mean(x, axis=-1, keepdims=True)
    r = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPSILON)
    return gain * (x * r), (x * r, r)


def layer_norm_backwards(dy, gain, saved):
    """The gradients by x and by the gain."""
    xhat, r = saved
    q = dy * gain
    dx = r * (q - np.mean(q, axis=-1, keepdims=True) - xhat * np.mean(q * xhat, axis=-1, keepdims=True))
    return dx, np.sum(rows(dy * xhat), axis=0)


def gelu(x):
    """GELU in GPT-2's form, and its derivative."""
    t = np.tanh(ROOT * (x + CUBE * (x * x * x)))
    return 0.5 * x * (1 + t), 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (ROOT * (1 + 3 * CUBE * (x * x)))


def attention(qkv, heads):
    """The heads' results side by side, (B, T, C), and what the way back needs; qkv: (B, T, 3C)."""
    q, k, v = (split(part, heads) for part in thirds(qkv))  # each (B, H, T, D)
    t, scale = q.shape[-2], 1 / math.sqrt(q.shape[-1])
    s = scale * (q @ k.swapaxes(-1, -2)) + NEVER * np.triu(np.ones((t, t)), 1).astype(qkv.dtype)
    e = np.exp(s - np.max(s, axis=-1, keepdims=True))
    p = e / np.sum(e, axis=-1, keepdims=True)
    return joined(p @ v), (q, k, v, p, scale)


def attention_backwards(dy, saved, heads):
    """The gradient by qkv, (B, T, 3C)."""
    q, k, v, p, scale = saved
    dy = split(dy, heads)
    dp = dy @ v.swapaxes(-1, -2)
    ds = scale * (p * (dp - np.sum(p * dp, axis=-1, keepdims=True)))
    parts = ds @ k, ds.swapaxes(-1, -2) @ q, p.swapaxes(-1, -2) @ dy
    together = np.empty_like(dp, shape=(*joined(q).shape[:2], 3 * heads * q.shape[-1]))
    for place, part in zip(thirds(together), parts, strict=True):
        place[...] = joined(part)
    return together


def thirds(qkv):
    """Queries, keys, values."""
    c = qkv.shape[-1] // 3
    return qkv[..., :c], qkv[..., c : 2 * c], qkv[..., 2 * c :]


def split(x, heads):
    """(B, T, C) as (B, H, T, D)."""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def joined(x):
    """(B, H, T, D) as (B, T, C)."""
    return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], -1)


def rows(x):
    """All axes but the last as one."""
    return x.reshape(-1, x.shape[-1])


def loss_of(logits, targets):
    """The mean cross-entropy, and its gradient by the logits."""
    z = rows(logits)
    z = z - np.max(z, axis=-1, keepdims=True)
    e = np.exp(z)
    totals = np.sum(e, axis=-1, keepdims=True)
    at = np.arange(len(z)), targets.reshape(-1)
    loss = np.mean(np.log(totals[:, 0]) - z[at])
    p = e / totals
    p[at] = p[at] - 1
    return loss, (p / len(z)).reshape(logits.shape)


def mean_loss(weights, tokens, targets, shape: Shape) -> float:
    """The mean loss of sequences (B, T), one batch after the other of whatever size they come in."""
    return float(loss_of(forwards(unpacked(weights, shape), tokens, shape)[0], targets)[0])


def train(weights, tokens, targets, shape: Shape):
    """All updates: (losses, weights) of the contract."""
    weights, losses = weights * 1, []
    m, v, gradient = weights * 0, weights * 0, weights * 0
    for number, (x, y) in enumerate(zip(tokens, targets, strict=True), 1):
        w, g = unpacked(weights, shape), unpacked(gradient, shape)
        logits, memory = forwards(w, x, shape)
        loss, dz = loss_of(logits, y)
        backwards(w, g, x, dz, memory, shape)
        clipped = gradient * np.minimum(1.0, ADAMW.clip / (np.sqrt(np.sum(gradient * gradient)) + CLIPPED))
        m = ADAMW.beta1 * m + (1 - ADAMW.beta1) * clipped
        v = ADAMW.beta2 * v + (1 - ADAMW.beta2) * (clipped * clipped)
        first, second = 1 - ADAMW.beta1**number, 1 - ADAMW.beta2**number
        eta = ladder_rate(number - 1)
        update = eta / first * m / (np.sqrt(v / second) + ADAMW.epsilon)
        weights[: shape.matrices] = (1 - eta * ADAMW.decay) * weights[: shape.matrices]
        weights = weights - update
        losses.append(loss)
    return np.array(losses, weights.dtype), weights
