"""The picture of the perceptron."""

from __future__ import annotations

import math

import numpy as np

SHOWN = 24  # hidden units


def draw(figure, train, weights, x, labels, shape):
    """The loss of these minibatches taken ten times over, and the weights into the hidden units afterwards."""
    times = max(1, 10 // len(x))
    losses, trained = train(weights, np.concatenate([x] * times), np.concatenate([labels] * times), shape)
    left, right = figure.subplots(1, 2)
    left.plot(np.arange(1, len(losses) + 1), losses, marker=".")
    left.set(xlabel="step", ylabel="loss", title="Descent, step by step")
    W1 = shape.layout.unpack(trained)[0]
    side = math.isqrt(shape.inputs)
    shown = W1[:, : min(SHOWN, shape.hidden)]
    if side * side == shape.inputs and side > 1:
        columns = math.ceil(math.sqrt(shown.shape[1]))
        sheet = np.full((math.ceil(shown.shape[1] / columns) * (side + 1), columns * (side + 1)), np.nan)
        for unit, column in enumerate(shown.T):
            i, j = divmod(unit, columns)
            sheet[i * (side + 1) : i * (side + 1) + side, j * (side + 1) : j * (side + 1) + side] = column.reshape(
                side, side
            )
        right.imshow(sheet, cmap="RdBu")
        right.set(xticks=[], yticks=[], title="What hidden units look for")
    else:
        right.imshow(shown, cmap="RdBu", aspect="auto")
        right.set(xlabel="hidden unit", ylabel="input", title="Weights into hidden units")
