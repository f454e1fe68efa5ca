"""What is normalised: four kinds over the same matrix, and one in which the mean hides the variance."""

from __future__ import annotations

from typing import Annotated

from exp_core.tensor import normal, unit_roundoff

GROUPS = 8

Rows = Annotated[int, "rows: samples, or tokens"]
Channels = Annotated[int, "channels: numbers a row"]


def layer(rows: Rows = 2048, channels: Channels = 1024, *, dtype, rng):
    """Layer normalisation: every row for itself, as in a transformer."""
    return inputs(rows, channels, "layer", 1, dtype, rng)


def rms(rows: Rows = 2048, channels: Channels = 1024, *, dtype, rng):
    """Root mean square: every row for itself, and its mean stays."""
    return inputs(rows, channels, "rms", 1, dtype, rng)


def group(
    rows: Rows = 2048,
    channels: Channels = 1024,
    groups: Annotated[int, "groups of channels in a row"] = GROUPS,
    *,
    dtype,
    rng,
):
    """Group normalisation: each group of neighbouring channels of a row."""
    if channels % groups:
        raise ValueError(f"{groups} groups of equal size cannot be made of {channels} channels: choose a divisor")
    return inputs(rows, channels, "group", groups, dtype, rng)


def batch(rows: Rows = 2048, channels: Channels = 1024, *, dtype, rng):
    """Batch normalisation: every channel over all rows, as while a network trains."""
    return inputs(rows, channels, "batch", 1, dtype, rng)


def far_off(
    rows: Rows = 2048,
    channels: Channels = 1024,
    mean: Annotated[float, "the mean of all entries; their deviation is 1, or more if that is too fine"] = 4096.0,
    *,
    dtype,
    rng,
):
    """Rows whose mean is thousands of times their deviation: its square is all that is left of the mean square."""
    return inputs(rows, channels, "layer", 1, dtype, rng, mean)


def inputs(rows, channels, kind, groups, dtype, rng, mean=0.5):
    """x (rows, channels), a weight and a bias for each channel (RMS has no bias), the kind, and its groups."""
    deviation = max(1.0, 4 * unit_roundoff(dtype) * mean)
    x = normal(rng, (rows, channels), dtype, mean=mean, deviation=deviation)
    w = normal(rng, channels, dtype, mean=1, deviation=0.1)
    b = normal(rng, channels, dtype, deviation=0.0 if kind == "rms" else 0.1)
    return x, w, b, kind, groups
