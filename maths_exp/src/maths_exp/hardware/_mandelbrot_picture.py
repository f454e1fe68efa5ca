"""The set, how long each row of it takes, and the points of which rounding has the say."""

from __future__ import annotations

import numpy as np

from maths_exp.hardware._mandelbrot_enclosure import enclosure

SHOWN = 320  # points along the longer side of the picture


def picture(figure, a, b, iterations):
    """Left: steps until a point leaves, black if it stays; in red those that rounding decides.  Right: work by row."""
    step = max(1, -(-max(a.size, b.size) // SHOWN))
    a, b = a[::step], b[::step]
    least, most = enclosure(a, b, iterations)
    image, work = figure.subplots(1, 2, width_ratios=[3, 1], sharey=True)
    many = a.size > 1 and b.size > 1
    extent = tuple(float(end) for end in (a[0], a[-1], b[0], b[-1])) if many else (0.0, 1.0, 0.0, 1.0)
    shades = np.log1p(np.ma.masked_equal(least, iterations))
    image.set_facecolor("black")
    image.imshow(shades, extent=extent, origin="lower", cmap="viridis", aspect="auto", interpolation="nearest")
    doubt = np.ma.masked_equal(least < most, False)
    if doubt.any():
        image.imshow(doubt, extent=extent, origin="lower", cmap="autumn", aspect="auto", interpolation="nearest")
    share = 100 * np.mean(least < most)
    image.set_title(f"steps until a point leaves; red: {share:.2g}% that rounding decides", fontsize="medium")
    image.set_xlabel("Re c")
    image.set_ylabel("Im c")
    work.plot(least.mean(axis=1), np.linspace(extent[2], extent[3], b.size), color="#0072B2")
    work.set_title("work by row", fontsize="medium")
    work.set_xlabel("mean steps")
    work.set_xlim(0)
    work.set_ylim(extent[2:])
    work.spines[["top", "right"]].set_visible(False)
    for axes in (image, work):
        axes.ticklabel_format(useOffset=False)
        axes.locator_params(nbins=4)
