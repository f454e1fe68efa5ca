"""The picture of the GPT: its loss, and what each head looks at."""

from __future__ import annotations

import math

import numpy as np

from dl_exp.engine.shape import unpacked
from dl_exp.sequence._gpt_by_hand import forwards

STEPS = 60  # of the curve: the same minibatches again and again
SHOWN = 4  # heads


def draw(figure, train, weights, tokens, targets, shape):
    """The loss of these minibatches, taken again and again, and the attention of the last layer's heads afterwards."""
    times = max(1, STEPS // len(tokens))
    again = [np.concatenate([each] * times) for each in (tokens, targets)]
    losses, trained = train(weights, *again, shape)
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.2))
    axes = left.subplots()
    axes.plot(np.arange(1, len(losses) + 1), losses, label="each step")
    if shape.vocabulary > 1:
        axes.axhline(math.log(shape.vocabulary), color="black", linestyle=":", label="all symbols alike: ln V")
    axes.set(xlabel="step", ylabel="loss", title="The same minibatches, again and again")
    axes.legend(fontsize="small")
    draw_attention(right, trained, tokens[0][:1], shape)


def draw_attention(figure, weights, tokens, shape):
    """Where the heads of the last layer look, for one sequence (1, T): a row is a symbol, its columns the past."""
    kept, _, _ = forwards(unpacked(weights, shape), tokens, shape)[1]
    p = kept[-1][3][3][0]  # (H, T, T)
    heads = min(SHOWN, shape.heads)
    figure.suptitle("What the last layer's heads look at (square roots of their weights)", fontsize="medium")
    across = math.ceil(math.sqrt(heads))
    for h, axes in enumerate(figure.subplots(math.ceil(heads / across), across, squeeze=False).flat):
        if h >= heads:
            axes.set_visible(False)
            continue
        axes.imshow(np.sqrt(p[h]), cmap="Blues", vmin=0)
        axes.set(title=f"Head {h + 1}", xlabel="symbol looked at", ylabel="symbol")
