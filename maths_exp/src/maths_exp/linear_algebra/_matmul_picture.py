"""The picture of matrix multiplication: what Strassen's recursion costs, and what a tile of a packed product needs."""

from __future__ import annotations

import numpy as np

from maths_exp.linear_algebra import _matmul_check as check
from maths_exp.linear_algebra._matmul_strassen import strassen, strassen_bound

LEAF = 8  # so small that a small matrix shows the recursion


def picture(figure, a, b):
    """Error against size, with the bounds; and one step of the packed product."""
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    draw_errors(left, a, b)
    draw_tiles(right)


def draw_errors(axes, a, b):
    """The largest error, relative to max|A| max|B|, of leading blocks of A and B."""
    largest = min(256, *a.shape, b.shape[1])
    sizes = sorted({*(2**e for e in range(2, 9) if 2**e <= largest), largest})
    cases = (
        ("as defined", lambda a, b: a @ b, check.ordinary_normwise, "C0", "o"),
        (
            f"Strassen down to {LEAF}",
            lambda a, b: strassen(a, b, LEAF),
            lambda a, b: strassen_bound(a, b, LEAF),
            "C3",
            "s",
        ),
    )
    for label, method, bound, colour, marker in cases:
        errors, bounds = [], []
        for size in sizes:
            x, y = np.ascontiguousarray(a[:size, :size]), np.ascontiguousarray(b[:size, :size])
            errors.append(max(float(check.normwise(method(x, y), x, y, check.oracle(x, y))), 1e-18))
            bounds.append(bound(x, y))
        axes.loglog(sizes, bounds, "--", color=colour, alpha=0.6, label=f"bound, {label}")
        axes.loglog(sizes, errors, marker=marker, color=colour, label=label)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set(xlabel="size n", ylabel="largest error / (max|A| max|B|)", title="Fewer products, a larger error")
    axes.legend(fontsize="small")


def draw_tiles(axes, tiles=(6, 8), now=19):
    """C with A to its left and B above it; the tiles of C in the order of their turn, and what one of them needs."""
    from matplotlib import colormaps

    rows, columns = tiles
    i, j = divmod(now, columns)
    k = 4  # width of a block of k, in tiles
    edges = {"edgecolor": "white", "linewidth": 1.5}
    boxes = [
        *(((x, y), "0.88", edges) for x in range(-k - 1, -1) for y in range(rows)),  # A
        *(((x, y), "0.88", edges) for x in range(columns) for y in range(-k - 1, -1)),  # B
    ]
    for (x, y), colour, style in boxes:
        mine = (y == i and x < 0) or (x == j and y < 0)
        axes.add_patch(_box(x, y, "C1" if mine and x < 0 else "C2" if mine else colour, style))
    for y in range(rows):
        for x in range(columns):
            turn = y * columns + x
            done = colormaps["Blues"](0.15 + 0.4 * turn / (rows * columns))
            colour = "C3" if turn == now else done if turn < now else "0.96"
            axes.add_patch(_box(x, y, colour, edges))
            ink = "white" if turn == now else "0.35"
            axes.text(x + 0.5, y + 0.5, str(turn + 1), ha="center", va="center", fontsize=7, color=ink)
    labels = (
        (-k / 2 - 1, rows + 0.5, "A: these rows\nstay in level 1"),
        (columns / 2, -k - 1.6, "B: packed, panel by panel\nfrom level 2 or 3"),
        (columns / 2, rows + 0.5, "C: one tile\nin registers"),
    )
    for x, y, text in labels:
        axes.text(x, y, text, ha="center", va="bottom" if y < 0 else "top", fontsize=8)
    axes.set(xlim=(-k - 1.4, columns + 0.4), ylim=(rows + 2.2, -k - 3.4), aspect="equal")
    axes.set_axis_off()
    axes.set_title("One tile of the packed product")


def _box(x, y, colour, style):
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), 1, 1, facecolor=colour, **style)
