"""What goes back to the scores, beside the weights; and how much of it each query sends."""

from __future__ import annotations

import math

import numpy as np

from dl_exp.sequence._attention_gradient_laws import weights
from dl_exp.sequence._attention_laws import seen

SHOWN = 48  # queries and keys


def picture(figure, q, k, v, do, causal):
    """Weights P and gradients dS of the first head's first queries: each row of dS adds up to nothing."""
    length, keys = q.shape[1], k.shape[1]
    first, k_0, v_0, do_0 = (x[0].astype(np.float64) for x in (q, k, v, do))
    p = weights(first, k_0, [seen(i, length, keys, causal) for i in range(length)])
    dp = do_0 @ v_0.T
    ds = p * (dp - (p * dp).sum(axis=1, keepdims=True)) / math.sqrt(q.shape[2])
    left, right = figure.subplots(1, 2)
    part = slice(max(0, length - SHOWN), None), slice(max(0, keys - SHOWN), None)
    image = left.imshow(np.sqrt(p[part]), cmap="viridis", vmin=0)
    figure.colorbar(image, ax=left, label="√ weight", shrink=0.8)
    most = np.abs(ds[part]).max() or 1.0
    image = right.imshow(ds[part], cmap="RdBu", vmin=-most, vmax=most)
    figure.colorbar(image, ax=right, label="dS", shrink=0.8)
    left.set(xlabel="key (the last ones)", ylabel="query (the last ones)", title="P: a row adds up to 1")
    right.set(xlabel="key (the last ones)", title="dS: a row adds up to 0")
