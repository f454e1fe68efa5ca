"""Moved images: nothing moved is the image, whole pixels are shifts, a plane stays one, and samples do not move."""

import numpy as np
import pytest

from dl_exp.generative import _diffusion_moved as moving
from dl_exp.generative._diffusion_moved import WAYS, moved


class Told:
    """In place of a random generator: how each image is to be moved."""

    def __init__(self, how):
        self.how = np.array(how, float)

    def standard_normal(self, shape):
        assert self.how.shape == shape
        return self.how


IMAGES = np.random.default_rng(0).random((3, 8, 8))


def by(images, **ways):
    """Every image moved by the same, in pixels, radians, logarithm and tangent."""
    names = {"down": moving.SHIFT, "right": moving.SHIFT, "turn": moving.TURN, "growth": moving.GROWTH}
    names["slant"] = moving.SLANT
    how = [ways.get(name, 0) / unit for name, unit in names.items()]
    return moved(images, Told([how] * len(images)))[0]


def test_what_is_not_moved_is_the_image():
    """Weights are 1 and 0 there, exactly; a weight that is off by a thousandth shows."""
    np.testing.assert_array_equal(by(IMAGES), IMAGES)
    assert np.abs(by(IMAGES, right=1e-3) - IMAGES).max() > 1e-4


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, -2), (-3, 2), (8, 0), (0, -40), (1e6, 1e6)])
def test_whole_pixels_are_shifts(down, right):
    """To the roundings of a deviation times its unit, which the slope of an image multiplies by 3 at most."""
    wanted, (i, j) = np.zeros_like(IMAGES), np.indices((8, 8))
    inside = (i + down >= 0) & (i + down < 8) & (j + right >= 0) & (j + right < 8)
    wanted[:, inside] = IMAGES[:, (i + down)[inside].astype(int), (j + right)[inside].astype(int)]
    wanted = np.clip(wanted, IMAGES.min(), IMAGES.max())
    assert np.abs(by(IMAGES, down=down, right=right) - wanted).max() <= 64 * 3 * np.finfo(float).eps


def test_a_quarter_turn_turns():
    wanted = np.rot90(IMAGES, -1, axes=(1, 2))
    assert np.abs(by(IMAGES, turn=np.pi / 2) - wanted).max() <= 64 * 3 * 4 * np.finfo(float).eps
    assert np.abs(by(IMAGES, turn=-np.pi / 2) - wanted).max() > 0.1


@pytest.mark.parametrize("ways", [{"growth": 0.1}, {"slant": 0.1}, {"turn": 0.1, "down": 0.3, "right": -0.2}])
def test_a_plane_stays_a_plane_inside(ways):
    """Keys's cubic is exact for polynomials of degree 2: so is what the middle of a plane becomes; an error in a
    weight is not."""
    i, j = np.indices((8, 8)) - 3.5
    plane = (0.5 + 0.05 * i + 0.03 * j)[None]
    turn, slant, grow = ways.get("turn", 0), ways.get("slant", 0), np.exp(ways.get("growth", 0))
    x, y = grow * (i + slant * j), grow * j
    rows = np.cos(turn) * x - np.sin(turn) * y + ways.get("down", 0)
    columns = np.sin(turn) * x + np.cos(turn) * y + ways.get("right", 0)
    wanted = 0.5 + 0.05 * rows + 0.03 * columns
    middle = np.s_[2:6, 2:6]
    assert np.abs(by(plane, **ways)[0][middle] - wanted[middle]).max() <= 100 * np.finfo(float).eps
    assert np.abs(plane[0][middle] - wanted[middle]).max() > 1e-3


def test_moves_are_normal_and_told():
    """n numbers of each kind: their means and variances within 6 standard errors; images stay within their greys."""
    n = 2000
    images, how = moved(np.broadcast_to(IMAGES[:1], (n, 8, 8)), np.random.default_rng(0))
    assert how.shape == (n, WAYS)
    assert np.abs(how.mean(axis=0)).max() <= 6 / np.sqrt(n)
    assert np.abs(how.var(axis=0) - 1).max() <= 6 * np.sqrt(2 / n)
    assert images.min() >= IMAGES[0].min()
    assert images.max() <= IMAGES[0].max()
    assert np.abs(images - IMAGES[0]).max() > 0.1
