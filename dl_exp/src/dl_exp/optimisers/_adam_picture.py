"""The picture of Adam: five rules in one valley, and their losses on the problem."""

from __future__ import annotations

import numpy as np

STEPS, SHOWN = 60, 10_000
LINES = {"sgd": "-", "momentum": "-", "rmsprop": "-", "adam": "-", "adamw": "--"}  # adamw lies upon adam


def picture(figure, w, a, c, updates, rule):
    """The way of each rule through a valley a hundred times as steep across as along, and each rule's loss."""
    from dl_exp.optimisers._adam_problems import valley
    from dl_exp.optimisers._adam_rules import RULES
    from dl_exp.optimisers.adam import start, update, vectorised

    left, right = figure.subplots(1, 2)
    begin, curvature, centre, steps = valley(STEPS)
    grid = np.meshgrid(np.linspace(-1.8, 0.6, 100), np.linspace(-1.2, 1.2, 100))
    left.contour(*grid, 0.5 * (curvature[0] * grid[0] ** 2 + curvature[1] * grid[1] ** 2), 15, cmap="Greys", alpha=0.5)
    for each in RULES:
        here = each._replace(rate=0.015 if each.method in ("sgd", "momentum") else 0.1)
        way, memory = [begin], start(begin)
        for _ in range(steps):
            moved, memory = update(here, way[-1], curvature * (way[-1] - centre), memory, np.sqrt)
            way.append(moved)
        left.plot(
            *np.array(way).T, marker=".", markersize=3, linewidth=1, linestyle=LINES[each.method], label=each.method
        )
    left.set(title="Five ways down one valley", xlabel="w₁, curvature 1", ylabel="w₂, curvature 100")
    left.set(xlim=(-1.8, 0.6), ylim=(-1.2, 1.2))
    left.legend(fontsize="small")
    part = slice(0, SHOWN)
    stable = 1.0 / float(a[part].max())
    for each in RULES:
        here = each._replace(rate=min(each.rate, stable) if each.method in ("sgd", "momentum") else 0.1)
        losses, _ = vectorised(w[part].astype(float), a[part].astype(float), c[part].astype(float), STEPS, here)
        right.semilogy(np.arange(1, STEPS + 1), losses, linestyle=LINES[each.method], label=each.method)
    right.set(title="Loss on this problem", xlabel="step", ylabel="f(w)")
    right.legend(fontsize="small")
