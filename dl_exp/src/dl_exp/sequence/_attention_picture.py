"""What a query looks at, and the memory that each way takes, measured."""

from __future__ import annotations

import functools

import numpy as np

from dl_exp.sequence._attention_laws import seen
from dl_exp.sequence._attention_tiled import KEYS, QUERIES, tiled
from exp_core.machine import thread_limit
from exp_core.memory import traced_peak

SHOWN = 48  # queries and keys
DIM = 64
LENGTHS = (128, 256, 512, 1024, 2048, 4096)
MOST = 2048  # whose scores are all kept at once


def picture(figure, q, k, v, causal):
    """The weights of the first head's last queries and keys; the memory over the length, with slopes 1 and 2."""
    left, right = figure.subplots(1, 2)
    length, keys = q.shape[1], k.shape[1]
    queries, shown = q[0].astype(np.float64), k[0].astype(np.float64)
    scores = queries[-SHOWN:] @ shown.T / np.sqrt(q.shape[2])
    visible = np.array([seen(i, length, keys, causal) for i in range(max(0, length - SHOWN), length)])
    scores[np.arange(keys) >= visible[:, None]] = -np.inf
    m = scores.max(axis=1, keepdims=True)
    weights = np.exp(scores - np.where(m == -np.inf, 0, m))
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)
    image = left.imshow(np.sqrt(weights[:, -SHOWN:]), cmap="viridis", vmin=0)
    figure.colorbar(image, ax=left, label="√ weight", shrink=0.8)
    left.set(xlabel="key (the last ones)", ylabel="query (the last ones)", title="Who looks at whom: head 0")
    for (name, bytes_), slope in zip(memory().items(), (2, 1), strict=True):
        lengths = np.array(LENGTHS[: len(bytes_)])
        right.loglog(lengths, bytes_, marker="o", base=2, label=name)
        right.loglog(lengths, bytes_[-1] * (lengths / lengths[-1]) ** slope, "k:", base=2)
    right.set(xlabel="length, one head", ylabel="bytes at the peak, measured", title="Memory; dotted: n² and n")
    right.legend(fontsize="small")


@functools.cache
def memory():
    """Bytes at the peak of a call, at each of the lengths: a fact about the ways, whatever the input."""
    rng = np.random.default_rng(0)
    found = {"all scores at once": [], f"tiles of {QUERIES} × {KEYS}": []}
    for n in LENGTHS:
        q, k, v = (rng.standard_normal((1, n, DIM)).astype(np.float32) for _ in range(3))
        for name, way in zip(found, (all_scores, tiled), strict=True):
            if way is tiled or n <= MOST:
                with thread_limit(1):  # products so small are not worth waking another thread
                    found[name].append(traced_peak(functools.partial(way, q, k, v, False)))
    return found


def all_scores(q, k, v, causal):
    """The formula in NumPy, without a mask: what the tiles are held against here."""
    weights = q @ k.swapaxes(1, 2) / np.float32(np.sqrt(q.shape[2]))
    np.exp(weights - weights.max(axis=2, keepdims=True), out=weights)
    return weights @ v / weights.sum(axis=2, keepdims=True)
