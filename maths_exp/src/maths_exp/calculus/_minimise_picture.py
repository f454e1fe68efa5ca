"""Paths in Rosenbrock's valley, and how the gradient falls with the evaluations."""

from __future__ import annotations

import contextlib

import numpy as np

from maths_exp.calculus._minimise_laws import evaluator
from maths_exp.calculus._minimise_objectives import rosenbrock

START = np.array([-1.2, 1.0])
DRAWN, WATCHED = 300, 1000  # evaluations whose points are drawn, and after which nobody looks any more


class EnoughSeen(Exception):
    """The path is as long as the picture shows."""


def path(method, f, start, tolerance):
    """The first points at which the method evaluates f, and the largest component of the gradient there."""
    points, sizes = [], []

    def watched(x):
        if len(points) == WATCHED:
            raise EnoughSeen
        value, g = f(x)
        points.append(x.copy())
        sizes.append(float(np.max(abs(g))))
        return value, g

    with contextlib.suppress(EnoughSeen):
        method(watched, start, tolerance)
    return np.array(points), np.array(sizes)


def count(points):
    """How many evaluations a method took, as far as they were watched."""
    return f"{WATCHED} and more" if len(points) == WATCHED else len(points)


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
            left.plot(*points[:DRAWN].T, ".-", linewidth=0.7, markersize=3, label=f"{name}: {count(points)}")
            _, sizes = path(method, evaluator(tasks[0].f, start.size), start, tolerance)
            right.loglog(np.arange(1, sizes.size + 1), np.minimum.accumulate(sizes), label=name)
    left.set(xlim=(-1.6, 1.6), ylim=(-0.8, 1.8), xlabel="x", ylabel="y", title="Rosenbrock's valley: evaluations")
    left.legend(fontsize="small")
    right.axhline(tolerance, color="grey", linestyle=":")
    right.set(
        xlabel="evaluations", ylabel="largest component of the gradient", title=f"First task: {start.size} variables"
    )
    right.legend(fontsize="small")
