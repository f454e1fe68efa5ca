"""What a right product with quantised weights obeys, what rounding them has cost, and what the product costs."""

from __future__ import annotations

import math

import numpy as np

from dl_exp.efficiency import _quantisation_codes as codes
from dl_exp.efficiency._quantisation_codes import bits_of
from exp_core import Cost
from exp_core.tensor import dtype_name, gamma


def exact(x, packed, scales, biases, w, model):
    """In float64."""
    return x.astype(np.float64) @ codes.dequantised(packed, scales, biases, bits_of(x, packed)).T


def componentwise_error(y, x, packed, scales, biases, w, model, truth):
    r"""The largest $|\hat y - y| / \sum |x| (|s| q + |\beta|)$."""
    if y.shape != truth.shape or dtype_name(y) != dtype_name(x):
        return math.inf
    sizes = codes.dequantised(packed, abs(scales), abs(biases), bits_of(x, packed))
    scale = abs(x.astype(np.float64)) @ sizes.T
    error = np.abs(y - truth)
    return float(np.where(error > 0, error / np.where(scale > 0, scale, np.finfo(float).tiny), error).max())


def lost(y, x, packed, scales, biases, w, model, truth):
    r"""$\|y - x W^T\|_F / \|x W^T\|_F$ with the weights as they were."""
    whole = x.astype(np.float64) @ w.astype(np.float64).T
    size = float(np.linalg.norm(whole))
    return float(np.linalg.norm(y - whole)) / size if size else 0.0


def perplexity(y, x, packed, scales, biases, w, model, truth):
    """Where x W^T is a language model's last product: the perplexity of the model with these results."""
    return math.nan if model is None else model.perplexity(y)


def perplexity_before(y, x, packed, scales, biases, w, model, truth):
    """The same of the model as it was: no weight of it rounded."""
    return math.nan if model is None else model.before


def bound(x, packed, scales, biases, w, model):
    """k products and their sum, and two roundings of each weight: Higham, Accuracy and Stability (2002), eq. (3.5).

    Where the scale is taken out of a group's sum instead, no term is rounded more often than that plus two.
    """
    return gamma(x.shape[1] + 4, x)


def cost(copies):
    """Multiply, add, scale and shift; codes, scales and inputs are read once; copies: of all weights in float32."""

    def of(x, packed, scales, biases, w, model):
        result = x.itemsize * len(x) * len(packed)
        moved = sum(array.nbytes for array in (x, packed, scales, biases)) + result
        return Cost(2.0 * len(x) * w.size + 2 * w.size, moved, result + x.nbytes + copies * w.nbytes)

    return of
