"""What a tile fetches and uses, and what that means for the limit."""

from __future__ import annotations

import numpy as np

TILES = {"entry": 1, "tiled": 16, "simdgroup": 32, "registers": 64}


def picture(figure, a, b):
    """Left: which part of A and B a tile of C needs.  Right: flops for each byte fetched, by the side of the tile."""
    left, right = figure.subplots(1, 2)
    (m, k), n = a.shape, b.shape[1]
    draw_tile(left, m, k, n)
    sides = 2.0 ** np.arange(0, 9)
    right.loglog(sides, sides * 2 / (2 * a.itemsize), color="black", linewidth=1)
    for name, side in TILES.items():
        right.loglog([side], [side * 2 / (2 * a.itemsize)], "o", label=f"{name}: {side} × {side}")
    right.set(xlabel="side of the tile", ylabel="flops a byte", title="A larger tile works more for what it fetches")
    right.legend(fontsize="small")


def draw_tile(axes, m, k, n):
    """A to the left of C, B above it; a tile of C and the stripes that it is made of."""
    from matplotlib.patches import Rectangle

    gap = 0.06 * max(m, k, n)
    for x, y, width, height, name in ((0, 0, k, m, "A"), (k + gap, m + gap, n, k, "B"), (k + gap, 0, n, m, "C")):
        axes.add_patch(Rectangle((x, y), width, height, facecolor="0.93", edgecolor="0.4"))
        axes.text(x + width / 2, y + height / 2, name, ha="center", va="center", fontsize="x-large", color="0.4")
    tall, wide = m / 4, n / 4
    axes.add_patch(Rectangle((0, m / 2), k, tall, facecolor="C0", alpha=0.5))
    axes.add_patch(Rectangle((k + gap + n / 4, m + gap), wide, k, facecolor="C1", alpha=0.5))
    axes.add_patch(Rectangle((k + gap + n / 4, m / 2), wide, tall, facecolor="C2", alpha=0.8))
    axes.set(xlim=(-gap, k + n + 2 * gap), ylim=(-gap, m + k + 2 * gap), aspect="equal")
    axes.set_title("A tile of C needs a stripe of A and one of B")
    axes.set_axis_off()
