"""A query and its neighbours (of digits: their images and how many are classified), and how alike distances are."""

from __future__ import annotations

import importlib.util

import numpy as np

from maths_exp.algorithms._nearest_neighbours_laws import distances_to
from maths_exp.algorithms._nearest_neighbours_problems import digit_labels

SHOWN = 2000  # points and queries at most
ROWS = 6  # digits with their neighbours


def picture(figure, X, Q, k):
    """Left: neighbours found; right: squared distances from the nearest, the k-th, and all points."""
    from scipy.spatial import cKDTree

    left, right = figure.subplots(1, 2)
    every = max(1, -(-len(Q) // SHOWN))
    asked = Q[::every]
    indices = cKDTree(X).query(asked, k=[*range(1, k + 1)])[1]
    labels = digit_labels(X, Q) if X.shape[1] == 64 and importlib.util.find_spec("sklearn") else None
    if labels is None:
        scatter(left, X, asked[0], indices[0])
    else:
        images(left, X, asked, indices, labels[0], labels[1][::every])
    D = np.sqrt(distances_to(X, asked, indices))
    some = np.linspace(0, len(X) - 1, min(len(X), 50)).astype(int)
    everyone = np.sqrt(distances_to(X, asked, np.tile(some, (len(asked), 1))))
    bins = np.linspace(0, max(float(everyone.max()), float(D.max())) * 1.01 + 1e-9, 60)
    for values, name, colour in (
        (everyone.ravel(), "any point", "0.75"),
        (D[:, -1], f"neighbour {k}", "#E69F00"),
        (D[:, 0], "the nearest", "#0072B2"),
    ):
        right.hist(values, bins, density=True, color=colour, alpha=0.7, label=name)
    right.set(xlabel="distance", ylabel="density")
    right.set_title(f"{X.shape[1]} coordinates: how much nearer is near?", fontsize="medium")
    right.legend(frameon=False, fontsize="small", loc="upper right")
    right.spines[["top", "right"]].set_visible(False)


def scatter(axes, X, q, indices):
    """The first two coordinates: a query, its neighbours, and some of the others."""
    second = min(1, X.shape[1] - 1)
    some = X[:: max(1, len(X) // SHOWN)]
    axes.plot(some[:, 0], some[:, second], ".", color="0.8", markersize=3, label="points")
    axes.plot(X[indices, 0], X[indices, second], "o", color="#0072B2", markersize=5, label="its neighbours")
    axes.plot(q[0], q[second], "*", color="#D55E00", markersize=12, label="a query")
    axes.set(xlabel="$x_1$", ylabel=f"$x_{second + 1}$")
    hidden = f": two of {X.shape[1]} coordinates" if X.shape[1] > 2 else ""
    axes.set_title(f"a query and its nearest points{hidden}", fontsize="medium")
    axes.legend(frameon=False, fontsize="small", loc="upper right")


def images(axes, X, Q, indices, known, wanted):
    """Some queries, then their neighbours; wrongly classified ones first."""
    guessed = majority(known[indices])
    order = np.argsort(guessed == wanted, kind="stable")[:ROWS]
    rows = [np.hstack([image.reshape(8, 8) for image in (Q[j], *X[indices[j]])]) for j in order]
    axes.imshow(np.vstack(rows), cmap="gray_r")
    axes.axvline(7.5, color="#D55E00")
    axes.set_axis_off()
    axes.set_title(f"digits, then their neighbours: {np.mean(guessed == wanted):.1%} classified", fontsize="medium")


def majority(votes):
    """The most frequent label of each row; of equally frequent ones the least."""
    return np.array([np.bincount(row).argmax() for row in votes])
