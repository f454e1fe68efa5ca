"""The GPT on the tapes: number by number, and array by array; the way back is theirs."""

from __future__ import annotations

import math

import numpy as np

from dl_exp.engine.gelu import CUBE
from dl_exp.engine.layernorm import EPSILON
from dl_exp.engine.shape import Layer, Weights
from dl_exp.engine.trainer import CLIPPED
from dl_exp.foundations._autograd_scalar import Value
from dl_exp.sequence._gpt_model import ADAMW, ladder_rate
from dl_exp.tape import Tensor, gelu, logsumexp, mean, softmax, standardised, total
from dl_exp.tape_moves import columns, item, reshape, swap, take

ROOT = math.sqrt(2 / math.pi)


def numbers_loss(weights, tokens, targets, shape):
    """The mean loss of sequences (B, T) as one Value; weights: Values in the shapes of ``unpacked``."""
    losses = [
        loss
        for sequence, wanted in zip(tokens.tolist(), targets.tolist(), strict=True)
        for loss in sequence_losses(weights, sequence, wanted, shape)
    ]
    return sum(losses[1:], losses[0]) * (1 / len(losses))


def sequence_losses(w, tokens, targets, shape):
    """The loss of each symbol of one sequence: position after position, head after head."""
    d = shape.width // shape.heads
    seen = [([], []) for _ in range(shape.layers)]  # keys and values of the past
    losses = []
    for position, (token, target) in enumerate(zip(tokens, targets, strict=True)):
        x = [a + b for a, b in zip(w.tokens[token], w.positions[position], strict=True)]
        for layer, (keys, values) in zip(w.layers, seen, strict=True):
            qkv = times(norm(x, layer.norm1), layer.qkv)
            q, k, v = (qkv[part * shape.width : (part + 1) * shape.width] for part in range(3))
            keys.append(k)
            values.append(v)
            y = []
            for h in range(0, shape.width, d):
                scores = [dot(q[h : h + d], key[h : h + d]) * (1 / math.sqrt(d)) for key in keys]
                p = probabilities(scores)
                y += [dot(p, [value[h + i] for value in values]) for i in range(d)]
            x = [a + b for a, b in zip(x, times(y, layer.out), strict=True)]
            up = [numbers_gelu(h) for h in times(norm(x, layer.norm2), layer.up)]
            x = [a + b for a, b in zip(x, times(up, layer.down), strict=True)]
        x = norm(x, w.norm)
        losses.append(log(probabilities([dot(x, row) for row in w.tokens])[target]) * -1)
    return losses


def times(x, matrix):
    """A row times a matrix."""
    return [dot(x, column) for column in zip(*matrix, strict=True)]


def dot(x, y):
    """The sum of the products."""
    terms = [a * b for a, b in zip(x, y, strict=True)]
    return sum(terms[1:], terms[0])


def norm(x, gain):
    """Layer normalisation of one row."""
    mu = sum(x[1:], x[0]) * (1 / len(x))
    away = [x_i + mu * -1 for x_i in x]
    r = power(dot(away, away) * (1 / len(x)) + EPSILON, -0.5)
    return [a * r * g for a, g in zip(away, gain, strict=True)]


def probabilities(scores):
    """Softmax of a list; the shift is a constant, since the result does not depend on it."""
    largest = max(score.data for score in scores)
    powers = [exp(score + -largest) for score in scores]
    share = power(sum(powers[1:], powers[0]), -1)
    return [e * share for e in powers]


def numbers_gelu(x):
    """$x/(1 + e^{-2u})$; where that exponential would overflow, the result is 0 to the last bit."""
    u = (x + x * x * x * CUBE) * (-2 * ROOT)
    return x * power(exp(u) + 1, -1) if u.data < 700 else x * 0


def exp(x):
    """$e^x$ is its own derivative."""
    y = math.exp(x.data)
    return Value(y, ((x, y),))


def log(x):
    """$\\ln' x = 1/x$; of a probability that has underflowed it is that of the smallest number."""
    data = max(x.data, 2.0**-1022)
    return Value(math.log(data), ((x, 1 / data),))


def power(x, n):
    """$x^n$."""
    return Value(x.data**n, ((x, n * x.data ** (n - 1)),))


def arrays_loss(w, tokens, targets, shape):
    """The mean loss of sequences (B, T) as one Tensor; w: Tensors."""
    (b, t), c, h = tokens.shape, shape.width, shape.heads
    dtype = w.norm.value.dtype
    future = np.triu(np.full((t, t), -np.inf, dtype), 1)
    x = take(w.tokens, tokens) + w.positions
    for layer in w.layers:
        qkv = (standardised(x, EPSILON) * layer.norm1) @ layer.qkv
        q, k, v = (swap(reshape(columns(qkv, i * c, (i + 1) * c), (b, t, h, c // h)), 1, 2) for i in range(3))
        p = softmax(q @ swap(k, -1, -2) * (1 / math.sqrt(c // h)) + future)  # (B, H, T, T)
        x = x + reshape(swap(p @ v, 1, 2), (b, t, c)) @ layer.out
        x = x + gelu((standardised(x, EPSILON) * layer.norm2) @ layer.up) @ layer.down
    z = (standardised(x, EPSILON) * w.norm) @ swap(w.tokens, 0, 1)  # (B, T, V)
    chosen = total(z * np.eye(shape.vocabulary, dtype=dtype)[targets], axis=2)
    return mean(logsumexp(z) - chosen)


def leaves(weights, shape):
    """The weights as Tensors in the shapes of ``unpacked``; and all of them in the order of the vector."""
    parts = [Tensor(part) for part in shape.layout.unpack(weights)]
    tokens, positions, *stacked, norm = parts
    layers = tuple(Layer(*(item(each, i) for each in stacked)) for i in range(shape.layers))
    return Weights(tokens, positions, layers, norm), parts


def adamw(weights, m, v, gradient, step, shape):
    """One update, in place, as the algorithm's box has it."""
    length = math.sqrt(sum(float(g) * float(g) for g in gradient))
    gradient = gradient * min(1.0, ADAMW.clip / (length + CLIPPED))
    m[:] = ADAMW.beta1 * m + (1 - ADAMW.beta1) * gradient
    v[:] = ADAMW.beta2 * v + (1 - ADAMW.beta2) * gradient * gradient
    eta, number = ladder_rate(step), step + 1
    weights[: shape.matrices] *= 1 - eta * ADAMW.decay
    m_hat, v_hat = m / (1 - ADAMW.beta1**number), v / (1 - ADAMW.beta2**number)
    weights -= eta * m_hat / (np.sqrt(v_hat) + ADAMW.epsilon)
