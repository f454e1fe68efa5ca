"""Points to tell apart: two moons, and points of very uneven size."""

from __future__ import annotations

from typing import Annotated

from dl_exp.foundations._autograd_model import Shape, moons_of, start_weights

SMALL = {"n": 5, "width": 3}
AWKWARD = ({"n": 1, "width": 1}, {"n": 7, "width": 17}, {"n": 2, "width": 5})


def moons(n: Annotated[int, "points"] = 100, width: Annotated[int, "units in each hidden layer"] = 16, *, dtype, rng):
    """Two half circles, and weights as they are at the start."""
    x, y = moons_of(n, 0.1, rng)
    shape = Shape(2, width)
    return start_weights(shape, rng).astype(dtype), x.astype(dtype), y.astype(dtype), shape


def uneven(n: Annotated[int, "points"] = 100, width: Annotated[int, "units in each hidden layer"] = 16, *, dtype, rng):
    """Points from a thousandth to a thousand times as far out: few of them make up the gradient."""
    weights, x, y, shape = moons(n, width, dtype="float64", rng=rng)
    x = x * 10.0 ** rng.uniform(-3, 3, (n, 1))
    return weights.astype(dtype), x.astype(dtype), y.astype(dtype), shape
