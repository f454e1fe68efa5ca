"""One pass over memory a step: gradient, loss, averages and update of a weight while it is in a register."""

from __future__ import annotations

import numpy as np

from dl_exp.optimisers._adam_rules import METHODS
from exp_core.compiled import FUSE, njit, prange

BLOCK = 4096  # weights that one thread takes at a time; their losses are one partial sum


def threads(w, a, c, updates, rule):
    """The fused step on all cores; m and v never leave for another pass."""
    w, m, v = w.copy(), np.zeros_like(w), np.zeros_like(w)
    losses = np.empty(updates, np.float32)
    numbers = np.array([rule.rate, rule.beta1, rule.beta2, rule.epsilon, rule.rate * rule.decay], np.float64)
    _descend(w, a, c, m, v, METHODS[rule.method], numbers, losses)
    return losses, w


@njit(parallel=True)
def _descend(w, a, c, m, v, method, numbers, losses):
    n = w.size
    blocks = (n + BLOCK - 1) // BLOCK
    parts = np.empty(blocks, np.float64)
    power1, power2 = 1.0, 1.0
    for t in range(losses.size):
        power1, power2 = power1 * numbers[1], power2 * numbers[2]
        # m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps), its corrections taken out of the loop
        rate = np.float32(numbers[0] / (1 - power1)) if method == 3 else np.float32(numbers[0])
        scale = np.float32(1 / np.sqrt(1 - power2)) if method == 3 else np.float32(1)
        for block in prange(blocks):
            s = slice(block * BLOCK, min(n, (block + 1) * BLOCK))
            parts[block] = _update(w[s], a[s], c[s], m[s], v[s], method, numbers, rate, scale)
        losses[t] = np.float32(parts.sum() / n)


@njit(fastmath=FUSE | {"reassoc", "nsz"})
def _update(w, a, c, m, v, method, numbers, rate, scale):
    """The sum of the losses of a block, before its update."""
    b1, b2, eps, decay = (np.float32(numbers[1]), np.float32(numbers[2]), np.float32(numbers[3]),
                          np.float32(numbers[4]))  # fmt: skip
    q1, q2, half = np.float32(1 - numbers[1]), np.float32(1 - numbers[2]), np.float32(0.5)
    loss = np.float32(0)
    if method == 0:
        for i in range(w.size):
            d = w[i] - c[i]
            g = a[i] * d
            loss += half * g * d
            w[i] -= rate * g
    elif method == 1:
        for i in range(w.size):
            d = w[i] - c[i]
            g = a[i] * d
            loss += half * g * d
            m[i] = b1 * m[i] + g
            w[i] -= rate * m[i]
    elif method == 2:
        for i in range(w.size):
            d = w[i] - c[i]
            g = a[i] * d
            loss += half * g * d
            v[i] = b2 * v[i] + q2 * g * g
            w[i] -= rate * g / (np.sqrt(v[i]) + eps)
    else:
        for i in range(w.size):
            d = w[i] - c[i]
            g = a[i] * d
            loss += half * g * d
            m[i] = b1 * m[i] + q1 * g
            v[i] = b2 * v[i] + q2 * g * g
            w[i] = (w[i] - decay * w[i]) - rate * m[i] / (np.sqrt(v[i]) * scale + eps)
    return loss
