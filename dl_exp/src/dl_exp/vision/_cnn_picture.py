"""The pictures of LeNet."""

from __future__ import annotations

import numpy as np

TIMES, SHOWN = 4, 12


def draw(figure, train, weights, x, labels, rates, shape):
    """The loss of these minibatches taken several times over, and what the windows make of one image."""
    from dl_exp.vision._cnn_by_hand import forward

    losses, trained = train(weights, *(np.concatenate([part] * TIMES) for part in (x, labels, rates)), shape)
    left, right = figure.subplots(1, 2)
    left.plot(np.arange(1, len(losses) + 1), losses, marker=".")
    left.set(xlabel="step", ylabel="loss", title="Descent, step by step")
    image = x[0, :1]
    seen = forward(trained, image, shape)[1].reshape(shape.side, shape.side, shape.first)
    right.imshow(sheet([image[0], *np.moveaxis(seen, -1, 0)]), cmap="Greys")
    right.set(xticks=[], yticks=[], title="An image, and what each first window makes of it")


def draw_trained(figure, shape, state, data, named):
    """The first windows, and the images held out that are named wrongly."""
    left, right = figure.subplots(1, 2)
    W1 = shape.layout.unpack(state["weights"])[0]
    left.imshow(sheet([window.reshape(5, 5) for window in W1.T]), cmap="RdBu")
    left.set(xticks=[], yticks=[], title="What the first windows look for")
    said = named(shape, state, data.held_out_x)
    wrong = np.flatnonzero(said != data.held_out_labels)
    right.set(xticks=[], yticks=[], title=f"{len(wrong)} of {len(said)} held out are named wrongly")
    if len(wrong):
        shown = wrong[:SHOWN]
        right.imshow(sheet(list(data.held_out_x[shown].reshape(-1, 28, 28))), cmap="Greys")
        right.set_xlabel("taken for " + ", ".join(str(said[i]) for i in shown), fontsize="small")


def sheet(images):
    """Images of one size side by side, each scaled to its own range, in a grid."""
    side, columns = len(images[0]), int(np.ceil(np.sqrt(len(images))))
    rows = -(-len(images) // columns)
    paper = np.full((rows * (side + 1), columns * (side + 1)), np.nan)
    for place, image in enumerate(images):
        i, j = divmod(place, columns)
        scaled = (image - image.min()) / (np.ptp(image) or 1.0)
        paper[i * (side + 1) : i * (side + 1) + side, j * (side + 1) : j * (side + 1) + side] = scaled
    return paper
