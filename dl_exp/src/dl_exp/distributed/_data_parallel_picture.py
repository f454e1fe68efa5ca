"""The picture of the ring: which ranks' shares each piece holds, hop by hop; and what all of them send."""

from __future__ import annotations

import numpy as np

SHOWN = 4  # ranks of the ring that is drawn
MOST = 16  # ranks of the curve
BLUE, ORANGE = "#0072B2", "#D55E00"


def draw(figure, train, weights, x, labels, shape, ranks):
    """Above, how many shares are in each piece of each rank; below, what a rank sends, and the loss of the run."""
    top, bottom = figure.subfigures(2, 1)
    for axes, (hop, shares) in zip(top.subplots(1, 2 * SHOWN - 1), enumerate(around(SHOWN)), strict=True):
        axes.imshow(shares, vmin=0, vmax=SHOWN, cmap="Blues")
        for (i, j), count in np.ndenumerate(shares):
            axes.text(j, i, str(count), ha="center", va="center", color="white" if count > SHOWN / 2 else "black")
        axes.set(xticks=[], yticks=[], title="begin" if hop == 0 else f"hop {hop}")
        if hop == 0:
            axes.set(xlabel="piece", ylabel="rank")
    left, right = bottom.subplots(1, 2)
    count, size = np.arange(1, MOST + 1), weights.nbytes / 1e6
    left.plot(count, 2 * (count - 1) / count * size, marker=".", color=BLUE, label="around the ring, in pieces")
    left.plot(count, (count - 1) * size, marker=".", color=ORANGE, label="all to all, as a whole")
    left.set(xlabel="ranks", ylabel="MB sent by each, an update", title="What a rank sends")
    left.legend(fontsize="small")
    losses, _ = train(weights, x, labels, shape, ranks)
    right.plot(np.arange(1, len(losses) + 1), losses, marker=".", color=BLUE)
    right.set(xlabel="step", ylabel="loss", title="The same for any number of ranks")
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)


def around(ranks):
    """How many ranks' shares are in piece j of rank i, shape (ranks, ranks): at the beginning and after each hop."""
    shares = np.ones((ranks, ranks), int)
    yield shares.copy()
    for hop in range(ranks - 1):
        before = shares.copy()
        for rank in range(ranks):
            piece = (rank - hop - 1) % ranks
            shares[rank, piece] += before[rank - 1, piece]
        yield shares.copy()
    for hop in range(ranks - 1):
        before = shares.copy()
        for rank in range(ranks):
            shares[rank, (rank - hop) % ranks] = before[rank - 1, (rank - hop) % ranks]
        yield shares.copy()
