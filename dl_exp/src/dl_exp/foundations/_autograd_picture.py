"""The picture of autograd: what the derivative says, and what descending along it finds."""

from __future__ import annotations

import numpy as np

STEPS = 100


def picture(figure, weights, x, y, shape):
    """The slope along the gradient beside the loss itself, and the boundary after a hundred steps along it."""
    from dl_exp.foundations._autograd_training import descend
    from dl_exp.foundations.autograd import tensor_tape

    left, right = figure.subplots(1, 2)
    loss, gradient = tensor_tape(weights, x, y, shape)
    length = np.sqrt(gradient @ gradient) or 1.0
    way = np.linspace(-1, 1, 81) / length
    losses = [float(tensor_tape(weights + (t * gradient).astype(weights.dtype), x, y, shape)[0]) for t in way]
    left.plot(way * length, losses, label="loss")
    left.plot(way * length, float(loss) + way * length**2, linestyle="--", label="what the gradient says")
    left.set(xlabel="distance along the gradient", ylabel="loss", title="The gradient is the slope", ylim=(0, None))
    left.set_xticks([-1, -0.5, 0, 0.5, 1])
    left.legend()
    stacked = [np.broadcast_to(part, (STEPS, *part.shape)) for part in (x, y)]
    _, state = descend(tensor_tape, shape, {"weights": weights}, stacked, 0)
    draw_boundary(right, shape, state["weights"], x, y)


def draw_boundary(axes, shape, weights, x, y):
    """The score over the plane, its zero line, and the points."""
    from dl_exp.foundations._autograd_training import scores

    low, high = x.min(axis=0) - 0.5, x.max(axis=0) + 0.5
    grid = [np.linspace(a, b, 120) for a, b in zip(low, high, strict=True)]
    plane = np.stack(np.meshgrid(*grid), axis=-1)
    f = scores(shape, weights, plane.reshape(-1, 2).astype(weights.dtype)).reshape(plane.shape[:2])
    axes.contourf(*grid, np.tanh(f), levels=20, cmap="RdBu", alpha=0.6)
    if f.min() < 0 < f.max():
        axes.contour(*grid, f, levels=[0], colors="black")
    axes.scatter(*x.T, c=np.where(y > 0, "#0072B2", "#D55E00"), s=14, edgecolors="white", linewidths=0.4)
    axes.set(title="Where the score changes its sign", xlabel="x₁", ylabel="x₂")
