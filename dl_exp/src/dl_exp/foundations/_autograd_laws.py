"""What a right gradient is: the complex step's, and how far rounding may take it from there.

$f(w + i h e_k) = f(w) + i h f_k(w) + O(h^2)$: the imaginary part over h is the derivative, and nothing is subtracted,
so that h may be $10^{-100}$ and the error is that of evaluating f.  Where a rectifier is on or off is decided by the
real part.  Source: W. Squire, G. Trapp, SIAM Review 40 (1998), 110-112.
"""

from __future__ import annotations

import math

import numpy as np

from dl_exp.foundations._autograd_model import DECAY
from dl_exp.rounding import in_float64, remembered, sampled_bounds
from exp_core import Cost
from exp_core.tensor import dtype_name, normwise_relative

STEP = 1e-100
AT_ONCE = 64  # directions


@remembered
def complex_step(weights, x, y, shape):
    """Loss and gradient in float64, one evaluation a weight."""
    weights, x, y = in_float64((weights, x, y))
    found = []
    for first in range(0, weights.size, AT_ONCE):
        moved = np.arange(first, min(first + AT_ONCE, weights.size))
        w = np.repeat(weights[None].astype(complex), len(moved), axis=0)
        w[np.arange(len(moved)), moved] += 1j * STEP
        found.append(_losses(w, x, y, shape))
    losses = np.concatenate(found)
    return losses[0].real, losses.imag / STEP


def _losses(w, x, y, shape):
    """The loss for each row of w, (rows, P), complex."""
    rows, layout = len(w), shape.layout
    b1, W1, b2, W2, b3, W3 = (w[:, layout.parts[n]].reshape(rows, *s) for n, s in layout.shapes.items())
    a = _relu(x @ W1 + b1[:, None])  # (rows, n, width)
    a = _relu(a @ W2 + b2[:, None])
    scores = (a @ W3 + b3[:, None])[..., 0]
    return _relu(1 - y * scores).mean(axis=1) + DECAY * (w * w).sum(axis=1)


def _relu(z):
    return np.where(z.real > 0, z, 0)


def loss_error(result, *inputs_and_truth):
    r"""$|\hat L - L| / L$ of the loss L."""
    loss, exact = float(result[0]), float(inputs_and_truth[-1][0])
    return abs(loss - exact) / abs(exact)


def gradient_error(result, *inputs_and_truth):
    """$\\|g - g^*\\|_2 / \\|g^*\\|_2$."""
    g, exact = np.asarray(result[1], np.float64), inputs_and_truth[-1][1]
    return normwise_relative(g, exact) if g.shape == exact.shape else math.inf


LAWS = {"loss": loss_error, "gradient": gradient_error}


def bounds_of(formula):
    """Each law's bound, sampled on a formula in NumPy (``dl_exp.rounding``)."""

    @remembered
    def bounds(*inputs):
        centre = tuple(np.asarray(part) for part in formula(*in_float64(inputs)))
        return sampled_bounds(formula, inputs, LAWS, centre, dtype_name(inputs[0]))

    return {name: lambda *inputs, name=name: bounds(*inputs)[name] for name in LAWS}


def cost(weights, x, y, shape):
    """Forward a product a layer, backward two, but for the first, whose inputs need no derivative."""
    n, products = len(x), [a * b for a, b in shape.layers]
    flops = n * (6 * sum(products) - 2 * products[0] + 7 * shape.width + 8) + 5 * weights.size
    memory = weights.itemsize * (16 * n * shape.width + 4 * weights.size)
    return Cost(flops, x.nbytes + y.nbytes + 2 * weights.nbytes, memory)
