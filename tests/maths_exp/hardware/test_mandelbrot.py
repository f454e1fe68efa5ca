"""Counts that are known exactly, ranges that rounding really reaches, and vectors where they are meant to be."""

from fractions import Fraction

import numpy as np
import pytest
from assembly import host_width, vector_width

from exp_core.tasks import WORKERS
from maths_exp.hardware import _mandelbrot_tiles as tiled
from maths_exp.hardware import mandelbrot
from maths_exp.hardware._mandelbrot_enclosure import enclosure, misplaced

OURS = [i.function for i in mandelbrot.EXPERIMENT.implementations if i.rung != "compiled"]
COMPILED = [i.function for i in mandelbrot.EXPERIMENT.implementations if i.rung == "compiled"]


@pytest.fixture(params=[*OURS, *COMPILED], ids=lambda f: f.__name__)
def count(request):
    if request.param in COMPILED:
        pytest.importorskip("numba", reason="compiled implementations need Numba")
    with np.errstate(all="ignore"):
        yield request.param


def exact_count(x0, y0, iterations):
    """In rational arithmetic: no rounding at all."""
    x = y = Fraction(0)
    for k in range(iterations):
        if x * x + y * y > 4:
            return k
        x, y = x * x - y * y + x0, 2 * x * y + y0
    return iterations


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_points_whose_orbits_are_known(count, dtype):
    """0 and -1 have cycles, -2 is the tip of the set (its orbit stays at 2), 1 goes 0 1 2 5, and 3 leaves at once."""
    points = np.array([0, -1, -2, 1, 3, 0.25], dtype)
    counts = count(points, np.zeros(1, dtype), 1000)
    assert counts.dtype == np.int32
    assert counts.tolist() == [[1000, 1000, 1000, 3, 1, 1000]]
    assert count(np.zeros(1, dtype), np.array([1, 2, -1], dtype), 50).ravel().tolist() == [50, 2, 50]


def test_far_outside_and_not_a_number(count):
    """Overflow on the way to infinity, infinity itself and NaN: outside at the first look after z = 0."""
    far = np.array([1e200, np.inf, np.nan, -1e308])
    assert set(count(far, np.array([0.0, 1e160]), 20)[:, [0, 3]].ravel().tolist()) == {1}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_exact_count_lies_in_the_range(dtype):
    """Rational numbers know the count: the enclosure must hold it, and be a single number for most points."""
    a, b, _ = mandelbrot.window(-0.5 + 0.5j, 1.5, 12, 9, 14, dtype)
    least, most = enclosure(a, b, 14)
    for row, y0 in enumerate(b):
        for column, x0 in enumerate(a):
            exact = exact_count(Fraction(float(x0)), Fraction(float(y0)), 14)
            assert least[row, column] <= exact <= most[row, column]
    assert np.mean(least == most) > 0.95


def test_rounding_reaches_the_ends_of_the_range():
    """Where a range is claimed there are roundings that differ: the same points in two orders of the same formula."""
    a, b, iterations = mandelbrot.deep(64, 48, dtype="float32", rng=None)
    with np.errstate(all="ignore"):
        one = mandelbrot.numpy_points(a, b, iterations)
        other = mandelbrot.numpy_points(a.astype(np.float64), b.astype(np.float64), iterations)
    least, most = enclosure(a, b, iterations)
    differ = one != other
    assert differ.any()
    assert np.all((least < most)[differ]), "the counts differ where the enclosure says that they cannot"


def test_the_law_sees_one_step_too_many_and_one_pixel_shifted():
    a, b, iterations = mandelbrot.whole(40, 30, 100, dtype="float64", rng=None)
    truth = enclosure(a, b, iterations)
    with np.errstate(all="ignore"):
        counts = mandelbrot.numpy_points(a, b, iterations)
    assert misplaced(counts, a, b, iterations, truth) == 0
    assert misplaced(counts + 1, a, b, iterations, truth) > 1000
    assert misplaced(np.roll(counts, 1, axis=1), a, b, iterations, truth) > 100
    assert misplaced(counts.astype(float), a, b, iterations, truth) == counts.size
    assert misplaced(counts.T, a, b, iterations, truth) == counts.size


@pytest.mark.parametrize("shape", [(1, 1), (tiled.WIDTH, tiled.HEIGHT), (tiled.WIDTH + 1, tiled.HEIGHT - 1), (37, 19)])
@pytest.mark.parametrize("iterations", [1, tiled.STEPS - 1, tiled.STEPS, tiled.STEPS + 1, 50])
def test_edges_of_tiles_and_of_blocks_of_steps(shape, iterations):
    pytest.importorskip("numba", reason="tiles are compiled")
    a, b, _ = mandelbrot.whole(*shape, iterations, dtype="float64", rng=None)
    expected = mandelbrot.loops(a, b, iterations)
    assert np.array_equal(mandelbrot.tiles(a, b, iterations), expected)
    assert np.array_equal(mandelbrot.tiles_threads(a, b, iterations), expected)


def test_every_strip_is_taken_once():
    """More strips than workers, fewer strips than workers: no row is left out and none is done twice."""
    pytest.importorskip("numba", reason="tiles are compiled")
    for height in (1, tiled.HEIGHT * WORKERS + 3):
        a, b, _ = mandelbrot.whole(8, height, 5, dtype="float32", rng=None)
        assert np.array_equal(mandelbrot.tiles_threads(a, b, 5), mandelbrot.tiles(a, b, 5))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_steps_are_taken_in_the_widest_vectors(dtype):
    """Also with AVX-512, where LLVM prefers half of it when left alone."""
    numba = pytest.importorskip("numba", reason="there is no compiler")
    from exp_core.vector.registers import registers

    host_width()  # skips where vectors are unknown
    table, one = numba.from_dtype(np.dtype(dtype))[:, ::1], numba.int64
    steps, counted = tiled.eight_steps.dispatcher, tiled.count_steps.dispatcher

    @numba.njit
    def take(orbits, start, end):
        return steps(orbits, start, end)

    @numba.njit
    def count(orbits, start, done, n):
        counted(orbits, start, done, n)

    assert vector_width(take, (table, one, one)) == 8 * registers().bytes
    assert vector_width(count, (table, one, one, numba.int32[:, ::1])) == 8 * registers().bytes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_some_leave_in_the_middle_of_the_steps(dtype):
    """Every lane of the vectors in flight leaves at a time of its own, some never, some at once."""
    pytest.importorskip("numba", reason="tiles are compiled")
    b = np.zeros(1, dtype)
    a = (0.25 + np.geomspace(1e-3, 3, 4 * tiled.LANES + 1)).astype(dtype)
    a[5:9] = 1e10, 0, -1e10, -1
    assert np.array_equal(mandelbrot.tiles(a, b, 97), mandelbrot.loops(a, b, 97))


def test_the_cost_is_the_number_of_steps():
    a, b, iterations = mandelbrot.whole(50, 40, 80, dtype="float64", rng=None)
    with np.errstate(all="ignore"):
        counts = mandelbrot.numpy_points(a, b, iterations)
    assert mandelbrot.steps(a, b, iterations) == pytest.approx(counts.sum(dtype=float), rel=1e-12)
    large = mandelbrot.whole(700, 600, 80, dtype="float64", rng=None)
    with np.errstate(all="ignore"):
        counted = mandelbrot.numpy_points(*large).sum(dtype=float)
    assert mandelbrot.steps(*large) == pytest.approx(counted, rel=0.05)
