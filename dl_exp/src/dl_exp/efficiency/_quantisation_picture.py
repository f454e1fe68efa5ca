"""The picture of quantisation: a group's weights on their grid, and what is lost of y by bits, group and method."""

from __future__ import annotations

import numpy as np

from dl_exp.efficiency import _quantisation_codes as codes
from dl_exp.efficiency._quantisation_codes import bits_of

BITS = (2, 4, 8)
GROUPS = (32, 64, 128)


def picture(figure, x, packed, scales, biases, w):
    """Left: the first group.  Right: rounding to nearest and error feedback, for inputs that correlate."""
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
    draw_grid(left, packed, scales, biases, w, bits_of(x, packed))
    draw_losses(right)


def draw_grid(axes, packed, scales, biases, w, bits):
    """Each weight of the first group, and the step that it went to."""
    group = w.shape[1] // scales.shape[1]
    before, after = w[0, :group], codes.dequantised(packed, scales, biases, bits)[0, :group]
    order = np.argsort(before)
    steps = biases[0, 0] + scales[0, 0] * np.arange(2**bits)
    if bits <= 4:
        axes.hlines(steps, 0, group - 1, color="0.85", linewidth=0.8)
    axes.plot(after[order], ".", color="C1", label=f"{bits} bits")
    axes.plot(before[order], color="C0", label="as it was")
    axes.set(xlabel="weights of the first group, sorted", ylabel="w", title="A group and its grid")
    axes.legend(fontsize="small")


def draw_losses(axes, k=128, out=64):
    """The same weights, rounded in both ways, on inputs that the feedback has not seen."""
    rng = np.random.default_rng(0)
    mixture = rng.standard_normal((12, k)) / np.sqrt(12)
    seen, x = (rng.standard_normal((n, 12)) @ mixture + 0.1 * rng.standard_normal((n, k)) for n in (4 * k, 64))
    w = rng.standard_normal((out, k)).astype(np.float32)
    whole = x @ w.astype(np.float64).T
    for group, style in zip(GROUPS, (":", "--", "-"), strict=True):
        for name, colour in (("to nearest", "C1"), ("fed back", "C2")):
            losses = []
            for bits in BITS:
                made = codes.groupwise(w, bits, group) if name == "to nearest" else codes.fed_back(w, seen, bits, group)
                losses.append(np.linalg.norm(x @ codes.dequantised(*made, bits).T - whole) / np.linalg.norm(whole))
            axes.semilogy(BITS, losses, "o" + style, color=colour, label=f"{name}, groups of {group}")
    axes.set(xlabel="bits of a weight", ylabel="lost of y", title="What is lost, and what feedback saves", xticks=BITS)
    axes.legend(fontsize="x-small")
