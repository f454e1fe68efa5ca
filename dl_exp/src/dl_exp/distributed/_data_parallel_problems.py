"""The perceptron's problems, for several ranks."""

from __future__ import annotations

from typing import Annotated

from dl_exp.foundations import mlp


def clusters(
    inputs: Annotated[int, "numbers in an example"] = 256,
    hidden: Annotated[int, "hidden units"] = 256,
    classes: Annotated[int, "classes"] = 10,
    batch: Annotated[int, "examples a step"] = 512,
    updates: Annotated[int, "steps of training"] = 5,
    ranks: Annotated[int, "processes"] = 2,
    *,
    dtype,
    rng,
):
    """Normal clouds, one a class, around random centres."""
    return *mlp.clusters(inputs, hidden, classes, batch, updates, dtype=dtype, rng=rng), _enough(batch, ranks)


def badly_scaled(
    inputs: Annotated[int, "numbers in an example"] = 256,
    hidden: Annotated[int, "hidden units"] = 256,
    classes: Annotated[int, "classes"] = 10,
    batch: Annotated[int, "examples a step"] = 512,
    updates: Annotated[int, "steps of training"] = 5,
    ranks: Annotated[int, "processes"] = 2,
    *,
    dtype,
    rng,
):
    """The same from weights that are thirty times too large: units are saturated, losses huge."""
    return *mlp.badly_scaled(inputs, hidden, classes, batch, updates, dtype=dtype, rng=rng), _enough(batch, ranks)


def digits(
    hidden: Annotated[int, "hidden units"] = 256,
    batch: Annotated[int, "examples a step"] = 512,
    updates: Annotated[int, "steps of training"] = 5,
    ranks: Annotated[int, "processes"] = 2,
    *,
    dtype,
    rng,
):
    """Handwritten digits, 8 by 8 pixels."""
    return *mlp.digits(hidden, batch, updates, dtype=dtype, rng=rng), _enough(batch, ranks)


def _enough(batch, ranks):
    """The ranks.  Raises ValueError if one of them would have no example."""
    if batch < ranks:
        raise ValueError(f"{ranks} ranks cannot share {batch} examples: choose --ranks {batch} or a larger --batch")
    return ranks
