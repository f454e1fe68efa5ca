"""What the threads of LeNet's engine work on, and the lists of distances in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dl_exp.engine.product import K_BLOCK
from dl_exp.engine.tile import columns
from dl_exp.vision._cnn_engine_images import KERNEL, distances, distances_back, grid

APART = 32  # numbers between what two threads write: no cache line is shared, nor the one that is fetched beside it
MARGIN = KERNEL - 1  # zeros beside the derivatives of the second convolution, where a window hangs over the edge


class Memory(NamedTuple):
    """A thread's own memory for a few images, its index first everywhere; the images last."""

    wide: np.ndarray  # (1, side + 4, side + 4): in a frame of two zeros
    a1: np.ndarray  # (first, side, side)
    p1: np.ndarray  # (first, pooled, pooled)
    a2: np.ndarray  # (second, places, places)
    p2: np.ndarray  # (second, places / 2, places / 2), and its derivative
    f: np.ndarray  # (features,): the same with channels last
    a3: np.ndarray  # (hidden,)
    a4: np.ndarray  # (last,)
    d5: np.ndarray  # (classes,): scores and their derivatives
    rows: np.ndarray  # those turned: (images, classes)
    d4: np.ndarray
    d3: np.ndarray
    df: np.ndarray
    d2: np.ndarray  # (second, places, places + 8)
    dp1: np.ndarray
    d1: np.ndarray
    turned: np.ndarray  # (25 second, first): the second convolution's weights, from its results to its images
    gradient: np.ndarray  # (P,)
    panel: np.ndarray  # (K_BLOCK, columns of a tile)


class Distances(NamedTuple):
    """Where the pixels of a window are, seen from its first, and the places of a convolution."""

    window1: np.ndarray
    window2: np.ndarray
    backwards: np.ndarray
    places1: np.ndarray
    windows1: np.ndarray
    places2: np.ndarray
    windows2: np.ndarray


def memory(shape, parts, pixels, size):
    """For so many threads with so many images each at once, and ``size`` weights."""

    def zeros(*sizes):
        return np.zeros((parts, *sizes, pixels), np.float32)

    side, pooled, places, half = shape.side, shape.pooled, shape.places, shape.places // 2
    first, second = shape.first, shape.second
    return Memory(
        zeros(1, side + 4, side + 4), zeros(first, side, side), zeros(first, pooled, pooled),
        zeros(second, places, places), zeros(second, half, half),
        zeros(shape.features), zeros(shape.hidden), zeros(shape.last), zeros(shape.classes),
        np.zeros((parts, pixels, shape.classes), np.float32),
        zeros(shape.last), zeros(shape.hidden), zeros(shape.features),
        zeros(second, places, places + 2 * MARGIN), zeros(first, pooled, pooled), zeros(first, side, side),
        np.zeros((parts, KERNEL * KERNEL * second, first), np.float32),
        np.zeros((parts, size + APART), np.float32),
        np.zeros((parts, K_BLOCK, columns(4)), np.float32),
    )  # fmt: skip


def distances_in(shape, pixels):
    """The lists for images of this size, ``pixels`` of them at once."""
    side, pooled, places = shape.side, shape.pooled, shape.places
    framed = places + 2 * MARGIN
    return Distances(
        distances(1, side + 4, pixels), distances(shape.first, pooled, pixels),
        distances_back(shape.second, places, framed, pixels),
        grid(side, side, pixels), grid(side, side + 4, pixels),
        grid(places, framed, pixels) + MARGIN * pixels, grid(places, pooled, pixels),
    )  # fmt: skip
