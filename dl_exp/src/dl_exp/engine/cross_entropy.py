"""Cross-entropy of rows of logits, and its gradient $(\\mathrm{softmax}(z) - e_y)/N$, while a row is in cache.

Source: C. Bishop, Pattern Recognition and Machine Learning (2006), sections 4.3.4 and 5.2.
"""

from __future__ import annotations

import math

from dl_exp.engine.apart import apart
from exp_core.compiled import REORDER, njit
from exp_core.vector import exp


@njit(fastmath=REORDER)
def cross_entropy(z, targets, count):
    """The sum of -log softmax(z)[target], in float64; z: (n, v) becomes the gradient of that sum over ``count``."""
    apart()
    zero = z.dtype.type(0)
    each = z.dtype.type(1) / z.dtype.type(count)
    loss = 0.0
    for i in range(z.shape[0]):
        largest = z[i, 0]
        for j in range(z.shape[1]):
            largest = max(largest, z[i, j])
        chosen = z[i, targets[i]] - largest
        total = zero
        for j in range(z.shape[1]):
            e = exp(z[i, j] - largest)
            z[i, j] = e
            total += e
        loss += math.log(total) - chosen
        share = each / total
        for j in range(z.shape[1]):
            z[i, j] *= share
        z[i, targets[i]] -= each
    return loss
