"""Bowls to descend into: a problem for each rule, and one whose curvature spans six orders of magnitude."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from dl_exp.optimisers._adam_rules import ADAM, ADAMW, MOMENTUM, RMSPROP, SGD

SMALL = {"n": 20, "updates": 4}
AWKWARD = ({"n": 1, "updates": 1}, {"n": 257, "updates": 3}, {"n": 8209, "updates": 2})
N = Annotated[int, "weights"]
Updates = Annotated[int, "steps"]


def bowl(rule, n, updates, dtype, rng, spread=1.0):
    """Normal weights and centres; curvatures from $10^{-spread}$ to $10^{spread}$, evenly in the exponent."""
    w, c = rng.standard_normal((2, n)).astype(dtype)
    return w, (10.0 ** rng.uniform(-spread, spread, n)).astype(dtype), c, updates, rule


def adamw(n: N = 262_144, updates: Updates = 5, *, dtype, rng):
    """AdamW."""
    return bowl(ADAMW, n, updates, dtype, rng)


def adam(n: N = 262_144, updates: Updates = 5, *, dtype, rng):
    """Adam."""
    return bowl(ADAM, n, updates, dtype, rng)


def rmsprop(n: N = 262_144, updates: Updates = 5, *, dtype, rng):
    """RMSProp."""
    return bowl(RMSPROP, n, updates, dtype, rng)


def momentum(n: N = 262_144, updates: Updates = 5, *, dtype, rng):
    """Descent with momentum."""
    return bowl(MOMENTUM, n, updates, dtype, rng)


def sgd(n: N = 262_144, updates: Updates = 5, *, dtype, rng):
    """Plain descent."""
    return bowl(SGD, n, updates, dtype, rng)


def ill_conditioned(n: N = 262_144, updates: Updates = 5, *, dtype, rng):
    """AdamW where the steepest curvature is a million times the least."""
    return bowl(ADAMW, n, updates, dtype, rng, spread=3.0)


def valley(steps: int, condition: float = 100.0):
    """Two coordinates for the picture: start, curvatures, centre."""
    return np.array([-1.5, 1.0]), np.array([1.0, condition]), np.zeros(2), steps
