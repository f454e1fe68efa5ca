"""The perceptron's problems, for several ranks."""

from __future__ import annotations

from typing import Annotated

from dl_exp.foundations import mlp
from dl_exp.foundations._mlp_problems import Batch, Classes, Hidden, Inputs, Updates

Ranks = Annotated[int, "processes"]


def clusters(
    inputs: Inputs = 256, hidden: Hidden = 256, classes: Classes = 10, batch: Batch = 512, updates: Updates = 5,
    ranks: Ranks = 2, *, dtype, rng,
):  # fmt: skip
    """Normal clouds, one a class, around random centres."""
    return *mlp.clusters(inputs, hidden, classes, batch, updates, dtype=dtype, rng=rng), _enough(batch, ranks)


def badly_scaled(
    inputs: Inputs = 256, hidden: Hidden = 256, classes: Classes = 10, batch: Batch = 512, updates: Updates = 5,
    ranks: Ranks = 2, *, dtype, rng,
):  # fmt: skip
    """The same from weights that are thirty times too large: units are saturated, losses huge."""
    return *mlp.badly_scaled(inputs, hidden, classes, batch, updates, dtype=dtype, rng=rng), _enough(batch, ranks)


def digits(hidden: Hidden = 256, batch: Batch = 512, updates: Updates = 5, ranks: Ranks = 2, *, dtype, rng):
    """Handwritten digits, 8 by 8 pixels."""
    return *mlp.digits(hidden, batch, updates, dtype=dtype, rng=rng), _enough(batch, ranks)


def _enough(batch, ranks):
    """The ranks.  Raises ValueError if one of them would have no example."""
    if batch < ranks:
        raise ValueError(f"{ranks} ranks cannot share {batch} examples: choose --ranks {batch} or a larger --batch")
    return ranks
