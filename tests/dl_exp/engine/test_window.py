"""Convolution with an image in each lane: against the definition, at awkward sizes, and nothing beyond its edges."""

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine is compiled")

from dl_exp.engine.window import across, channels_at_once, correlate, correlate_back
from exp_core.compiled import njit
from exp_core.tensor import gamma
from exp_core.vector.registers import registers

LANES = registers().lanes(4)
SIZES = [(1, 1, 6), (1, 6, 8), (2, 3, 10), (3, 7, 6), (6, 16, 14), (2, 5, 8)]  # channels, channels out, side


def made(channels, out, side):
    rng = np.random.default_rng(side)
    x = rng.standard_normal((channels, side, side, LANES)).astype(np.float32)
    W = rng.standard_normal((25 * channels, out)).astype(np.float32)
    i, j, c = np.ogrid[:5, :5, :channels]
    window = (((c * side + i) * side + j) * LANES).ravel()
    return x, W, window


def windows(x):
    """(channels, places, places, image, 5, 5), in float64."""
    return np.lib.stride_tricks.sliding_window_view(x.astype(float), (5, 5), axis=(1, 2))


@njit
def slide(W, x, window, y, side, lanes, widest):
    """All places, from left to right."""
    places = side - 4
    for a in range(places):
        b = 0
        while b < places:
            width = widest if b + widest <= places else widest // 2
            correlate(W, x, (a * side + b) * lanes, window, 0, window.size, y, (a * places + b) * lanes, width)
            b += width


def error_forwards(W_used, x, W, window):
    """The largest error over its bound, gamma(K) times the sum of absolute products: Higham (2002), eq. (3.5)."""
    channels, side = x.shape[:2]
    out, places = W.shape[1], side - 4
    framed = np.full((out, places * places * LANES + 64), np.nan, np.float32)
    y = framed[:, : places * places * LANES].copy()
    slide(W_used, x.ravel(), window, y, side, LANES, across())
    W = W.reshape(5, 5, channels, out).astype(float)
    exact = np.einsum("cabnij,ijco->oabn", windows(x), W).reshape(out, -1)
    scale = np.einsum("cabnij,ijco->oabn", abs(windows(x)), abs(W)).reshape(out, -1)
    return np.max(abs(y - exact) / (gamma(25 * channels, y) * scale))


@pytest.mark.parametrize(("channels", "out", "side"), SIZES)
def test_forwards_is_the_definition(channels, out, side):
    x, W, window = made(channels, out, side)
    assert error_forwards(W, x, W, window) <= 1
    wrong = W.copy()
    wrong[-1, -1] *= np.float32(1.001)
    assert error_forwards(wrong, x, W, window) > 1
    assert error_forwards(W, x, W, np.roll(window, 1)) > 1


def error_backwards(d, x, W, used):
    channels, side = x.shape[:2]
    out, places = W.shape[1], side - 4
    d_grid = np.arange(places * places) * LANES
    x_grid = (np.arange(places)[:, None] * side + np.arange(places)).ravel() * LANES
    start = np.random.default_rng(0).standard_normal(W.shape).astype(np.float32)
    gW = start.copy()
    for c in range(channels):
        for i in range(5):
            correlate_back(
                used, d_grid, x.ravel(), (c * side + i) * side * LANES, x_grid, gW, i * 5 * channels + c, channels
            )
    d = d.reshape(out, places, places, LANES).astype(float)
    exact = np.einsum("cabnij,oabn->ijco", windows(x), d).reshape(W.shape) + start
    scale = np.einsum("cabnij,oabn->ijco", abs(windows(x)), abs(d)).reshape(W.shape) + abs(start)
    return np.max(abs(gW - exact) / (gamma(places * places * LANES + 1, gW) * scale))


@pytest.mark.parametrize(("channels", "out", "side"), SIZES)
def test_backwards_is_added_to_what_is_there(channels, out, side):
    x, W, _ = made(channels, out, side)
    d = np.random.default_rng(1).standard_normal((out, (side - 4) ** 2 * LANES)).astype(np.float32)
    assert error_backwards(d, x, W, d) <= 1
    wrong = d.copy()
    wrong[-1, -1] += np.float32(10)
    assert error_backwards(d, x, W, wrong) > 1
    assert error_backwards(d, x, W, np.roll(d, LANES, axis=1)) > 1


def test_a_part_of_the_window_is_that_part():
    """As at the edge of an image, where a window's first rows hang over."""
    x, W, window = made(2, 5, 8)
    y = np.zeros((5, across() * LANES), np.float32)
    correlate(W, x.ravel(), 0, window, 10, 30, y, 0, across())
    some = W.copy()
    some[:10], some[30:] = 0, 0
    exact = np.einsum("cbnij,ijco->obn", windows(x)[:, 0, : across()], some.reshape(5, 5, 2, 5).astype(float))
    np.testing.assert_allclose(y, exact.reshape(5, -1), atol=20 * np.finfo(np.float32).eps * np.abs(exact).max())


def test_a_lane_knows_nothing_of_the_others():
    """Not a number in one image stays there."""
    x, W, window = made(2, 5, 8)
    x[..., 1] = np.nan
    y = np.empty((5, 16 * LANES), np.float32)
    slide(W, x.ravel(), window, y, 8, LANES, across())
    assert np.array_equal(np.isnan(y.reshape(5, 16, LANES)).all(axis=(0, 1)), np.arange(LANES) == 1)
    assert channels_at_once() in (2, 4)
