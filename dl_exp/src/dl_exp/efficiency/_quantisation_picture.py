"""The picture of quantisation: a group's weights on their grid, what is lost of y, and what it costs our own GPT."""

from __future__ import annotations

import numpy as np

from dl_exp.efficiency import _quantisation_codes as codes
from dl_exp.efficiency import _quantisation_gpt as gpt
from dl_exp.efficiency._quantisation_codes import bits_of
from exp_core.training.checkpoint import CheckpointError

BITS = (2, 4, 8)
GROUPS = (32, 64, 128)
SYMBOLS = 2048  # that the last GPT is asked for


def picture(figure, x, packed, scales, biases, w, model):
    """The first group; rounding to nearest and error feedback, for inputs that correlate; and both on a GPT."""
    left, middle, right = figure.subplots(1, 3)
    draw_grid(left, packed, scales, biases, w, bits_of(x, packed))
    draw_losses(middle)
    draw_perplexity(right, model)


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
            axes.semilogy(BITS, losses, style, color=colour, label=f"{name}, g = {group}")
    axes.set(xlabel="bits of a weight", ylabel="lost of y", title="Feedback saves most of it", xticks=BITS)
    axes.legend(fontsize="x-small")


def draw_perplexity(axes, model, group=32):
    """The GPT of this problem, or the one that was trained here last, if there is one."""
    axes.set(xlabel="bits of a weight", ylabel="perplexity", title="What our GPT loses", xticks=BITS)
    try:
        model = model or gpt.trained(SYMBOLS)
    except CheckpointError:
        none = "no GPT was trained here yet:\n--problem gpt trains one"
        axes.text(0.5, 0.5, none, ha="center", va="center", transform=axes.transAxes, fontsize="small")
        return
    axes.axhline(before := model.before, color="C0", label=f"as it was: {before:.3g}")
    for feedback, colour, name in ((False, "C1", "to nearest"), (True, "C2", "fed back")):
        costs = [gpt.cost(model, bits, group, feedback=feedback) for bits in BITS]
        axes.plot(BITS, costs, "o-", color=colour, label=name)
    axes.legend(fontsize="x-small")
