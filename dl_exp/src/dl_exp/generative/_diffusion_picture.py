"""Pictures of diffusion: the way into noise, what learning brings, and what is drawn in the end."""

from __future__ import annotations

import math

import numpy as np

from dl_exp.generative._diffusion_problems import labelled_images
from dl_exp.generative._diffusion_samplers import ddim, ddpm, stretch_for
from dl_exp.generative._diffusion_schedule import STEPS, alpha_bar, noised

MOMENTS = (0, STEPS // 8, STEPS // 3, STEPS)
SHOWN = 1000  # points of a cloud
PLANE = 2  # numbers in a point of it
SIDE = 5  # images in a row of a sheet
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"


def draw(figure, train, weights, x0, noise, times, shape):
    """Above, the examples at four times on their way into noise; below, the schedule and the loss of these updates."""
    top, bottom = figure.subfigures(2, 1)
    clean, spoilt = (array.reshape(-1, shape.dims)[:SHOWN] for array in (x0, noise))
    seen = labelled_images().seen if shape.dims > PLANE else np.asarray
    for axes, t in zip(top.subplots(1, len(MOMENTS)), MOMENTS, strict=True):
        show(axes, seen(noised(clean, spoilt, np.full(len(clean), t))), np.abs(seen(clean)).max())
        axes.set_title(f"t = {t}")
    left, right = bottom.subplots(1, 2)
    t = np.arange(STEPS + 1)
    left.plot(t, np.sqrt(alpha_bar()), color=BLUE, label="of the example")
    left.plot(t, np.sqrt(1 - alpha_bar()), color=ORANGE, label="of the noise")
    left.set(xlabel="t", ylabel="share", title="From data to noise")
    left.legend()
    losses, _ = train(weights, x0, noise, times, shape)
    right.plot(np.arange(1, len(losses) + 1), losses, marker=".", color=BLUE)
    right.set(xlabel="step", ylabel="loss", title="The first steps of learning")
    right.xaxis.get_major_locator().set_params(integer=True)


def draw_samples(figure, guess, data, rng):
    """Examples held out, DDPM's samples, DDIM's samples from the same noise."""
    n = min(SHOWN, len(data.held_out))
    noise = rng.standard_normal((n, data.x.shape[1])).astype(np.float32)
    clouds = {"data": data.held_out[:n]} | {
        name: sampler(guess, noise, data, rng, stretch_for(sampler, guess, data, rng))
        for name, sampler in (("DDPM", ddpm), ("DDIM", ddim))
    }
    limit = np.abs(data.seen(data.x)).max()
    for axes, (name, cloud) in zip(figure.subplots(1, len(clouds)), clouds.items(), strict=True):
        show(axes, data.decoded(cloud), limit)
        axes.set_title(name)


def show(axes, points, limit):
    """Points of a plane as points; images as a sheet of images."""
    side = math.isqrt(points.shape[1])
    if points.shape[1] == PLANE:
        reach = max(3.5, 1.1 * limit)
        axes.scatter(*points.T, s=3, alpha=0.4, color=BLUE, linewidths=0)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
        return
    sheet = np.full((SIDE * (side + 1) - 1, SIDE * (side + 1) - 1), limit, points.dtype)
    for number, image in enumerate(points[: SIDE * SIDE]):
        i, j = (place * (side + 1) for place in divmod(number, SIDE))
        sheet[i : i + side, j : j + side] = image.reshape(side, side)
    axes.imshow(sheet, cmap="gray_r", vmin=-limit, vmax=limit)
    axes.set(xticks=[], yticks=[])
