"""Which entries share a mean, and what the three ways to the variance make of a far-off one."""

from __future__ import annotations

import math

import numpy as np

ROWS, CHANNELS, GROUPS = 6, 8, 4
OFFSETS = 2.0 ** np.arange(0, 17, 2)  # the mean, in deviations
LENGTH = 64  # of the rows that are tried


def picture(figure, x, w, b, kind, groups):
    """The sets of each kind in colours; the error of each way over the offset, beside n u and its multiples by κ."""
    from dl_exp.foundations import normalisation as ways

    above, below = figure.subfigures(2, 1, height_ratios=[1, 2])
    numbers = np.arange(ROWS * CHANNELS).reshape(ROWS, CHANNELS)
    per_group = CHANNELS // GROUPS
    kinds = {
        "Layer, RMS": numbers // CHANNELS,
        "Group": (numbers // CHANNELS) * GROUPS + numbers % CHANNELS // per_group,
        "Batch": numbers % CHANNELS,
    }
    for axes, (name, label) in zip(above.subplots(1, len(kinds)), kinds.items(), strict=True):
        axes.imshow(label * 7 % 20, cmap="tab20", vmin=0, vmax=19, aspect="auto")
        axes.set(title=f"{name}: one colour, one mean", xlabel="channel", ylabel="row", xticks=[], yticks=[])
    axes = below.subplots()
    errors = {way: [] for way in (ways.by_the_formula, ways.sum_of_squares, ways.welford)}
    row = np.random.default_rng(0).standard_normal((1, LENGTH))
    ones, zeros = np.ones(LENGTH, np.float32), np.zeros(LENGTH, np.float32)
    for offset in OFFSETS:
        given = ((row + offset).astype(np.float32), ones, zeros, "layer", 1)
        with np.errstate(invalid="ignore"):
            for way, found in errors.items():
                off = ways.error(way(*given), *given, ways.exact(*given))
                found.append(1.0 if math.isnan(off) else min(off, 1.0))
    for way, found in errors.items():
        axes.loglog(OFFSETS, found, marker="o", label=way.__name__)
    u = 2.0**-24
    for power, style in ((1, ":"), (2, "--")):
        label = "u κ" if power == 1 else "u κ²"
        axes.loglog(OFFSETS, np.minimum(u * OFFSETS**power, 1), "k" + style, label=label)
    axes.set(xlabel="mean over deviation, κ", ylabel="error (1: no digit)", title=f"Rows of {LENGTH} float32")
    axes.legend(fontsize="small")
