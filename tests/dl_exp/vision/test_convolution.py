"""Convolution: whole numbers that must come out exactly, Winograd's identity in fractions, bounds, costs, assembly."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from assembly import host_width, vector_width

from dl_exp.vision import _convolution_laws as laws
from dl_exp.vision import _convolution_winograd as theory
from dl_exp.vision import convolution
from exp_core.machine import thread_limit
from exp_core.tensor import from_numpy, to_numpy

mx = pytest.importorskip("mlx.core")
FUNCTIONS = {i.name: i for i in convolution.EXPERIMENT.implementations}
COMPILED = ("direct_compiled", "winograd_compiled")


@pytest.fixture(autouse=True)
def on_the_cpu():
    before = mx.default_device()
    mx.set_default_device(mx.cpu)
    yield
    mx.set_default_device(before)


def run(name, x, w):
    implementation = FUNCTIONS[name]
    if "numba" in implementation.modules:
        pytest.importorskip("numba", reason="a compiled rung")
    if implementation.arrays == "numpy":
        return implementation.function(x, w)
    return to_numpy(implementation.function(from_numpy(x, "mlx"), from_numpy(w, "mlx")))


def whole(shape, filters, k, seed=0):
    """Whole numbers, filters of multiples of 4: every sum below is exact in float32, Winograd's halves included."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-8, 9, shape).astype(np.float32)
    return x, 4 * rng.integers(-8, 9, (filters, k, k, shape[3])).astype(np.float32)


def lanes():
    pytest.importorskip("numba", reason="the vectors of compiled code")
    from exp_core.vector.registers import registers

    return registers().lanes(4), registers().rows


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "fourier"])
@pytest.mark.parametrize(
    ("shape", "filters", "k"),
    [((1, 1, 1, 1), 1, 1), ((2, 5, 4, 3), 2, 3), ((1, 2, 7, 2), 3, 2), ((1, 1, 6, 1), 2, 5), ((3, 4, 1, 2), 1, 3)],
)
def test_whole_numbers_come_out_exactly(name, shape, filters, k):
    x, w = whole(shape, filters, k)
    if FUNCTIONS[name].skip and FUNCTIONS[name].skip(x, w):
        pytest.skip("made for filters of 3 by 3")
    np.testing.assert_array_equal(run(name, x, w), laws.exact(x, w))


@pytest.mark.parametrize("name", COMPILED)
def test_every_edge_of_tiles_panels_and_depths(name):
    """One less, equal, one more: than a vector, any width of a panel, a tile's rows, the depth from which it copies."""
    width, rows = lanes()
    filters = sorted({1, *(v * width + d for v, d in product((1, 2, 3, 4, 5), (-1, 0, 1)))})
    for o in filters:
        x, w = whole((1, 3, rows + 1, 17), o, 3, seed=o)
        np.testing.assert_array_equal(run(name, x, w), laws.exact(x, w), err_msg=f"{o} filters")
    for columns, channels, height in product((rows - 1, rows, 2 * rows, 2 * rows + 3), (1, 15, 16, 17), (2, 3)):
        x, w = whole((2, height, columns, channels), width + 1, 3, seed=columns)
        np.testing.assert_array_equal(run(name, x, w), laws.exact(x, w), err_msg=f"{columns}, {channels}, {height}")
    for k in (1, 2, 4, 5, 7) if name == "direct_compiled" else ():
        for channels in (1, 3, 40):
            x, w = whole((1, 7, 9, channels), 3, k, seed=k)
            np.testing.assert_array_equal(run(name, x, w), laws.exact(x, w), err_msg=f"{k}, {channels}")


@pytest.mark.parametrize("name", COMPILED)
def test_threads_change_no_bit_and_layouts_do_not_matter(name):
    x, w = convolution.layer(3, 29, 31, 24, 40, dtype="float32", rng=np.random.default_rng(1))
    pytest.importorskip("numba", reason="a compiled rung")
    with thread_limit(1):
        alone = run(name, x, w)
    np.testing.assert_array_equal(run(name, x, w), alone)
    turned = np.asfortranarray(x)[:, :, ::-1][:, :, ::-1]
    np.testing.assert_array_equal(run(name, turned, np.asfortranarray(w)), alone)


def test_what_is_not_a_number_stays_in_the_windows_that_see_it():
    x, w = whole((1, 9, 11, 20), 5, 3)
    x[0, 4, 5, 7] = np.nan
    seen = np.zeros((9, 11), bool)
    seen[3:6, 4:7] = True
    y = run("direct_compiled", x, w)
    assert (np.isnan(y).all(axis=3)[0] == seen).all()
    assert np.isnan(y).any(axis=3).sum() == 9


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 6])
def test_winograds_identity_holds_in_fractions(m):
    """$A^T [(G g) \\odot (B^T d)]$ is the correlation of g and d, for unit vectors and so for all."""
    A, G, B = theory.cook_toom(m)
    for i, j in product(range(3), range(m + 2)):
        left = [row[i] for row in G]
        right = [row[j] for row in B]
        y = [sum(a * g * b for a, g, b in zip(row, left, right, strict=True)) for row in A]
        assert y == [Fraction(int(j - i == place)) for place in range(m)]


def test_f_2_3_is_lavin_and_grays():
    """Section 4.1 of their paper, up to a sign that a row of G and the same row of B share, and one of A's with B's."""
    A, G, B = (np.array(matrix, float) for matrix in theory.cook_toom(2))
    np.testing.assert_array_equal(np.abs(A), [[1, 1, 1, 0], [0, 1, 1, 1]])
    np.testing.assert_array_equal(np.abs(G), [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [0, 0, 1]])
    np.testing.assert_array_equal(np.abs(B), [[1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 0, 1]])


@pytest.mark.parametrize("m", [2, 4, 6])
def test_larger_tiles_stay_within_their_bounds_and_lose_more(m):
    x, w = convolution.layer(1, 24, 24, 16, 8, dtype="float32", rng=np.random.default_rng(2))
    y = to_numpy(theory.winograd(from_numpy(x, "mlx"), from_numpy(w, "mlx"), m))
    error = laws.normwise_error(y, x, w, laws.exact(x, w))
    assert error <= theory.winograd_bound(x, w, m)
    smaller = theory.winograd_bound(x, w, m - 2) if m > 2 else laws.sum_bound(x, w) / 9
    assert theory.winograd_bound(x, w, m) > smaller


@pytest.mark.parametrize("place", [(0, 0), (1, 2), (2, 3), (3, 1)])
def test_one_wrong_sign_in_a_transform_breaks_the_bound(place, monkeypatch):
    i, j = place
    A, G, B = theory.cook_toom(2)
    wrong = [list(row) for row in B]
    wrong[i][j] = -wrong[i][j] or Fraction(1)
    x, w = convolution.layer(1, 8, 8, 4, 4, dtype="float32", rng=np.random.default_rng(3))
    bound = theory.winograd_bound(x, w)
    monkeypatch.setattr(theory, "cook_toom", lambda m: (A, G, wrong))
    y = to_numpy(theory.winograd(from_numpy(x, "mlx"), from_numpy(w, "mlx")))
    assert laws.normwise_error(y, x, w, laws.exact(x, w)) > bound


def test_brightness_that_cancels_takes_digits_of_y_and_winograd_keeps_most():
    """Its transform takes differences of pixels before anything is multiplied."""
    x, w = convolution.edges(1, 32, 32, 16, 8, dtype="float32", rng=np.random.default_rng(4))
    truth = laws.exact(x, w)
    lost = {name: laws.lost(run(name, x, w), x, w, truth) for name in COMPILED}
    plain = convolution.layer(1, 32, 32, 16, 8, dtype="float32", rng=np.random.default_rng(4))
    ordinary = laws.lost(run("direct_compiled", *plain), *plain, laws.exact(*plain))
    assert lost["direct_compiled"] > 10 * ordinary
    assert lost["winograd_compiled"] < lost["direct_compiled"] / 2


@pytest.mark.parametrize(("shape", "k"), [((2, 6, 5, 3), 3), ((1, 1, 9, 1), 5), ((1, 4, 3, 2), 2), ((1, 2, 2, 1), 7)])
def test_products_are_those_inside_the_image(shape, k):
    x, w = whole(shape, 3, k)
    ones, taps = np.ones_like(x[..., :1]), np.ones((1, k, k, 1), np.float32)
    counted = laws.exact(ones, taps).sum() * shape[3] * 3
    assert laws.products(x, w) == counted


def test_a_filter_without_a_place_is_refused():
    with pytest.raises(ValueError, match="needs two rows and columns of pixels, not 1 by 5"):
        convolution.layer(1, 1, 5, 1, 1, 2, dtype="float32", rng=np.random.default_rng(0))


@pytest.mark.parametrize(("zero", "law"), [("x", 0.0), ("w", 0.0)])
def test_nothing_is_an_error_where_all_is_zero(zero, law):
    x, w = whole((1, 4, 4, 2), 2, 3)
    (x if zero == "x" else w)[:] = 0
    truth = laws.exact(x, w)
    assert laws.normwise_error(truth.astype(np.float32), x, w, truth) == law
    assert laws.normwise_error(truth.astype(np.float32) + 1, x, w, truth) == np.inf
    assert np.isfinite(laws.fft_bound(x, w)) and np.isfinite(theory.winograd_bound(x, w))


@pytest.mark.parametrize("name", ["multiply", "_down", "_across", "_back", "_filter"])
def test_the_loops_are_vector_instructions(name):
    numba = pytest.importorskip("numba")
    from dl_exp.vision import _convolution_compiled, _convolution_winograd_compiled

    types = numba.core.types
    plane, cube = (numba.float32[(slice(None),) * (n - 1) + (slice(None, None, 1),)] for n in (2, 3))
    whole_, places = types.int64, types.int64[::1]
    signatures = {
        "multiply": (numba.float32[::1], places, places, numba.float32[::1], places, plane, whole_, whole_),
        "_down": (cube,),
        "_across": (cube, cube, whole_),
        "_back": (cube, whole_, whole_, plane),
        "_filter": (cube, cube, plane),
    }
    module = _convolution_compiled if name == "multiply" else _convolution_winograd_compiled
    assert vector_width(getattr(module, name), signatures[name]) >= host_width()
