"""Images that are moved a little, and how: more examples of few, from which samples learn without moving themselves.

A network that learns from moved images draws moved images, unless it is told which ones were moved, and how: six more
numbers beside the pixels.  Those who draw ask for images that were not.
Source: T. Karras et al., Elucidating the design space of diffusion-based generative models, NeurIPS (2022),
arXiv:2206.00364, appendix F.2, for augmentation that does not leak; R. Keys, Cubic convolution interpolation for
digital image processing, IEEE Trans. Acoust. Speech Signal Process. 29 (1981), eq. (15), for what is between pixels.
"""

from __future__ import annotations

import math

import numpy as np

SHIFT, TURN, GROWTH, SLANT = 0.4, math.radians(6), 0.06, 0.08  # deviations: pixels, radians, logarithm, tangent
NEIGHBOURS, EDGE = range(-1, 3), 4  # pixels whose weights are not 0, and more than them around an image
WAYS = 5  # numbers that say how: two shifts, turn, growth, slant


def moved(images: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Each image shifted, turned, scaled and slanted by normal amounts; images: (n, side, side), 0 outside.

    Returns the images, (n, side, side), between the least and the most of what they were, and how each was moved, in
    deviations, (n, 5).
    """
    how = rng.standard_normal((len(images), WAYS))
    return np.clip(_seen_at(images, *_places(how, images.shape[1])), images.min(), images.max()), how


def _places(how: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The row and the column that each pixel of each image is taken from; both (n, side, side)."""
    down, right, turn, growth, slant = (how * [SHIFT, SHIFT, TURN, GROWTH, SLANT]).T[:, :, None, None]
    i, j = np.meshgrid(*2 * [np.arange(side) - (side - 1) / 2], indexing="ij")
    i, j = np.exp(growth) * (i + slant * j), np.exp(growth) * j
    rows, columns = np.cos(turn) * i - np.sin(turn) * j, np.sin(turn) * i + np.cos(turn) * j
    return rows + down + (side - 1) / 2, columns + right + (side - 1) / 2


def _seen_at(images: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The images between their pixels: sixteen neighbours of each place, weighed by how far they are."""
    n, side, _ = images.shape
    wide = side + 2 * EDGE + 1
    framed = np.pad(images, ((0, 0), (EDGE, EDGE + 1), (EDGE, EDGE + 1))).reshape(-1)
    i, j = np.floor(rows), np.floor(columns)
    down, right = ([_keys(part - k) for k in NEIGHBOURS] for part in (rows - i, columns - j))
    i, j = (np.clip(k, 1 - EDGE, side + EDGE - 2).astype(np.intp) + EDGE for k in (i, j))  # beyond, all is 0 as well
    place = (np.arange(n)[:, None, None] * wide + i) * wide + j
    seen = np.zeros_like(rows)
    for p, k in enumerate(NEIGHBOURS):
        across = sum(right[q] * framed[place + (k * wide + m)] for q, m in enumerate(NEIGHBOURS))
        seen += down[p] * across
    return seen


def _keys(s: np.ndarray) -> np.ndarray:
    """The weight of a pixel at distance s: piecewise cubic, 1 at 0, and 0 at 1 and from 2 on."""
    s = np.abs(s)
    near, far = (1.5 * s - 2.5) * s * s + 1, ((-0.5 * s + 2.5) * s - 4) * s + 2
    return np.where(s < 1, near, np.where(s < 2, far, 0))
