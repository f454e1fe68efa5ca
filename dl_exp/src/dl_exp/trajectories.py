"""The laws of a training run in a ladder: the loss curve, and where the weights end.

All implementations take the same weights and minibatches, make ``updates`` steps and return (losses, weights): losses
of shape (updates,), each that of the weights before its update, and the flat weights after the last, shape (P,).
They are held against the same run in float64; what rounding may do to it on the way is sampled (``dl_exp.rounding``).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from dl_exp.rounding import in_float64, remembered, sampled_bounds
from exp_core.tensor import normwise_relative


def loss_error(result, *inputs_and_truth):
    r"""The largest $|\hat L - L|$ of a loss L of the curve, over the largest or 1: it is a difference of logarithms."""
    losses, exact = np.asarray(result[0], np.float64), inputs_and_truth[-1][0]
    if losses.shape != exact.shape:
        return math.inf
    return float(np.max(np.abs(losses - exact)) / max(1.0, np.max(np.abs(exact))))


def weight_error(result, *inputs_and_truth):
    """$\\|w - w^*\\|_2 / \\|w^*\\|_2$ after the last update."""
    weights, exact = np.asarray(result[1], np.float64), inputs_and_truth[-1][1]
    return normwise_relative(weights, exact) if weights.shape == exact.shape else math.inf


LAWS = {"loss curve": loss_error, "final weights": weight_error}


def oracle_and_bounds(train: Callable) -> tuple[Callable, dict[str, Callable]]:
    """From the run as NumPy makes it: the same in float64, and each law's bound for a run in float32."""

    @remembered
    def exact(*inputs):
        """The same run in float64."""
        losses, weights = train(*in_float64(inputs))
        return np.asarray(losses), np.asarray(weights)

    @remembered
    def bounds(*inputs):
        return sampled_bounds(train, inputs, LAWS, exact(*inputs))

    return exact, {name: lambda *inputs, name=name: bounds(*inputs)[name] for name in LAWS}
