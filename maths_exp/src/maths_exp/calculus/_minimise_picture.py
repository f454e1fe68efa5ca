"""Paths in Rosenbrock's valley, and how the gradient falls with the evaluations."""

from __future__ import annotations

import numpy as np

from maths_exp.calculus._minimise_laws import evaluator
from maths_exp.calculus._minimise_objectives import rosenbrock

START, DRAWN = np.array([-1.2, 1.0]), 400  # evaluations of a path that are drawn


def path(method, f, start, tolerance):
    """Every point at which the method evaluates f, and the largest component of the gradient there."""
    points, sizes = [], []

    def watched(x):
        value, g = f(x)
        points.append(x.copy())
        sizes.append(float(np.max(abs(g))))
        return value, g

    method(watched, start, tolerance)
    return np.array(points), np.array(sizes)


def picture(figure, methods, tasks, tolerance):
    """Left the valley with the points at which each method looks, right the least gradient so far on the first task."""
    left, right = figure.subplots(1, 2)
    x, y = np.meshgrid(np.linspace(-1.6, 1.6, 161), np.linspace(-0.8, 1.8, 131))
    values = 100 * (y - x * x) ** 2 + (1 - x) ** 2
    left.contour(x, y, np.log10(values + 1e-3), levels=18, colors="grey", linewidths=0.4)
    start = np.array(tasks[0].start)
    with np.errstate(all="ignore"):
        for name, method in methods.items():
            points, _ = path(method, evaluator(rosenbrock, 2), START, 1e-3)
            left.plot(*points[:DRAWN].T, ".-", linewidth=0.7, markersize=3, label=f"{name}: {len(points)}")
            _, sizes = path(method, evaluator(tasks[0].f, start.size), start, tolerance)
            right.loglog(np.arange(1, sizes.size + 1), np.minimum.accumulate(sizes), label=name)
    left.set(xlim=(-1.6, 1.6), ylim=(-0.8, 1.8), xlabel="x", ylabel="y", title="Rosenbrock's valley: evaluations")
    left.legend(fontsize="small")
    right.axhline(tolerance, color="grey", linestyle=":")
    right.set(
        xlabel="evaluations", ylabel="largest component of the gradient", title=f"First task: {start.size} variables"
    )
    right.legend(fontsize="small")
