"""The plate before and after, and what a tile computes in space and time."""

from __future__ import annotations

import numpy as np

from maths_exp.hardware._stencil_compiled import rows_compiled

SHOWN = 200  # points along the longer side of the picture
TILE, TALL = 12, 4  # of the drawing: points of a tile, and steps that it takes


def picture(figure, u, alpha, steps):
    """Left: the plate; middle: after the steps, both coarser; right: what one tile of a line computes, step by step."""
    before, after, tiles = figure.subplots(1, 3, width_ratios=[3, 3, 4])
    step = max(1, -(-max(u.shape) // SHOWN))
    u = np.ascontiguousarray(u[::step, ::step])
    low, high = float(u.min()), float(u.max())
    for axes, plate, title in (
        (before, u, "the plate"),
        (after, rows_compiled(u, alpha, steps), f"after {steps} steps"),
    ):
        axes.imshow(plate, cmap="inferno", vmin=low, vmax=high, interpolation="nearest")
        axes.set_title(title, fontsize="medium")
        axes.set_axis_off()
    spacetime(tiles)


def spacetime(axes):
    """A tile of a line of points takes its steps from a margin that gets narrower by one point a step."""
    for t in range(TALL + 1):
        margin = TALL - t
        x = np.arange(-margin, TILE + margin)
        own = (x >= 0) & (x < TILE)
        axes.plot(x[own], np.full(own.sum(), t), "o", color="#0072B2", label="its own" if t == 0 else None)
        axes.plot(x[~own], np.full((~own).sum(), t), "o", color="#E69F00", label="its margin" if t == 0 else None)
    axes.set_title("one tile in space and time", fontsize="medium")
    axes.set_xlabel("point")
    axes.set_ylabel("step")
    axes.set_yticks(range(TALL + 1))
    axes.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    axes.spines[["top", "right"]].set_visible(False)
