"""Stencil: laws of the heat equation, edges of tiles and of blocks of steps, and sabotage."""

import re
from fractions import Fraction

import numpy as np
import pytest
from assembly import assembly, host_width, vector_width

from maths_exp.hardware import _stencil_compiled as compiled
from maths_exp.hardware import _stencil_in_place as in_place
from maths_exp.hardware import stencil

OURS = [i.function for i in stencil.EXPERIMENT.implementations]
FAST = [f for f in OURS if f is not stencil.loops]


@pytest.fixture(autouse=True)
def parts():
    pytest.importorskip("numba", reason="half of the rungs are compiled")
    pytest.importorskip("scipy", reason="the library's row")


def exactly(u, alpha, steps):
    """The plate in rational arithmetic."""
    old = [[Fraction(float(x)) for x in row] for row in u]
    alpha = Fraction(float(u.dtype.type(alpha)))
    for _ in range(steps):
        new = [list(row) for row in old]
        for i in range(1, len(old) - 1):
            for j in range(1, len(old[0]) - 1):
                around = old[i - 1][j] + old[i + 1][j] + old[i][j - 1] + old[i][j + 1]
                new[i][j] = (1 - 4 * alpha) * old[i][j] + alpha * around
        old = new
    return old


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("function", OURS, ids=lambda f: f.__name__)
def test_error_is_within_the_bound_of_exact_arithmetic(function, dtype):
    u = np.random.default_rng(1).standard_normal((6, 7)).astype(dtype)
    exact = exactly(u, 0.2, 9)
    result = function(u, 0.2, 9)
    worst = max(
        abs(Fraction(float(result[i, j])) - exact[i][j]) for i in range(u.shape[0]) for j in range(u.shape[1])
    ) / Fraction(float(np.abs(u).max()))
    k = 7 if function is stencil.scipy_correlate else 4
    ku = k * float(np.finfo(dtype).eps) / 2
    assert worst <= Fraction(np.expm1(9 * np.log1p(ku / (1 - ku))))


@pytest.mark.parametrize("function", FAST, ids=lambda f: f.__name__)
@pytest.mark.parametrize(("p", "q"), [(1, 1), (2, 3), (18, 28)])
def test_a_wave_keeps_its_shape_and_decays_at_its_own_rate(function, p, q):
    """Sines that vanish at the edge are eigenvectors: the factor is 1 - 4 alpha (sin^2 + sin^2) of half the angles."""
    rows, columns, alpha, steps = 20, 30, 0.24, 11
    i, j = np.ogrid[:rows, :columns]
    a, b = np.pi * p / (rows - 1), np.pi * q / (columns - 1)
    u = np.sin(a * i) * np.sin(b * j)
    u[[0, -1]], u[:, [0, -1]] = 0, 0
    factor = 1 - 4 * alpha * (np.sin(a / 2) ** 2 + np.sin(b / 2) ** 2)
    # sines of multiples of pi are known to 30 roundings of their argument
    assert np.allclose(function(u, alpha, steps), factor**steps * u, rtol=0, atol=steps * 60 * np.finfo(float).eps)


@pytest.mark.parametrize("function", FAST, ids=lambda f: f.__name__)
def test_a_plane_stays_and_nothing_gets_hotter_than_it_was(function):
    i, j = np.ogrid[:40, :33]
    plane = (3.0 * i + 5.0 * j).astype(np.float64)  # small whole numbers: every mean of them is exact with alpha = 1/4
    assert np.array_equal(function(plane, 0.25, 7), plane)
    u = np.random.default_rng(2).random((40, 33))
    result = function(u, 0.25, 50)
    assert result.max() <= u.max()
    assert result.min() >= u.min()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("shape", "steps"),
    [
        ((3, 3), 1),
        ((5, 2000), compiled.DEPTH),
        ((compiled.ROWS + 2, compiled.COLUMNS + 2), compiled.DEPTH - 1),
        ((compiled.ROWS + 3, compiled.COLUMNS + 3), compiled.DEPTH + 1),
        ((compiled.ROWS + 17, 61), 2 * compiled.DEPTH + 3),
        ((61, 2 * compiled.COLUMNS + 31), 2),
    ],
)
def test_tiles_and_threads_agree_with_the_rows_to_the_last_bit(shape, steps, dtype):
    """The same operations in the same order: at the plate's edges, tiles' edges, and where the last block is short."""
    u = np.random.default_rng(3).standard_normal(shape).astype(dtype)
    expected = compiled.rows_compiled(u, 0.2, steps)
    assert np.array_equal(compiled.rows_threads(u, 0.2, steps), expected)
    assert np.array_equal(compiled.time_tiles(u, 0.2, steps), expected)


SHAPES = [(1, 1), (1, 9), (9, 1), (2, 2), (3, 3), (7, 10), (70, 61), (131, 64), (5, 1003), (6, 2500)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", SHAPES)
def test_rows_in_place_agree_with_the_rows_to_the_last_bit(shape, dtype):
    """Lines that begin anywhere, rows without a whole line or longer than what is asked for ahead, any number of parts,
    sweeps down and up; nothing else is written to.
    """
    u = np.random.default_rng(5).standard_normal(shape).astype(dtype)
    for offset, parts in ((0, 1), (1, 2), (7, 3), (3, 5)):
        room = np.full(u.size + offset + 20, -7, dtype)
        new = room[offset : offset + u.size].reshape(shape)
        ends = np.empty((2, min(parts, shape[0]), 2, shape[1]), dtype)
        for steps in (1, 4, 5):
            result = compiled._rows_in_threads(u, new, ends, 0.2, steps)
            assert np.array_equal(result, compiled.rows_compiled(u, 0.2, steps))
            assert (room[:offset] == -7).all()
            assert (room[offset + u.size :] == -7).all()


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_rows_in_threads_leave_the_plate_alone(steps):
    u = np.random.default_rng(6).random((40, 50))
    before = u.copy()
    result = compiled.rows_threads(u, 0.2, steps)
    assert np.array_equal(u, before)
    assert not np.shares_memory(result, u)
    assert np.array_equal(result, compiled.rows_compiled(u, 0.2, steps))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_row_in_place_is_made_of_vectors_and_the_next_rows_are_asked_for(dtype):
    numba = pytest.importorskip("numba")
    from llvmlite import binding

    if not binding.get_host_cpu_features().get("avx"):
        pytest.skip("this test reads x86 assembly with AVX")
    number = numba.from_dtype(np.dtype(dtype))
    row = number[::1]
    signature = (row, row, row, numba.int64, number, number)
    assert vector_width(in_place.step_row_in_place, signature) >= host_width()
    assert re.search(r"\bprefetcht0\b", assembly(in_place.step_row_in_place, signature))


@pytest.mark.parametrize("function", FAST, ids=lambda f: f.__name__)
def test_one_bad_number_spreads_as_far_as_heat_can_and_no_further(function):
    u = np.zeros((41, 41))
    u[20, 20] = np.nan
    steps = 5
    i, j = np.ogrid[:41, :41]
    far = abs(i - 20) + abs(j - 20) > steps
    if function is stencil.scipy_correlate:  # its matrix has zeros in the corners, and 0 times NaN is NaN
        far = np.maximum(abs(i - 20), abs(j - 20)) > steps
    result = function(u, 0.2, steps)
    assert not np.isnan(result[far]).any()
    assert np.isnan(result[20, 20])


def test_subnormal_temperatures_are_within_the_bound():
    u = np.full((9, 9), 5e-324)
    exact = stencil.in_double(u, 0.2, 3)
    for function in FAST:
        assert stencil.error(function(u, 0.2, 3), u, 0.2, 3, exact) <= stencil.rounded(4)(u, 0.2, 3)


@pytest.mark.parametrize("alpha", [-0.01, 0.2501, float("nan")])
def test_a_step_that_would_blow_up_is_refused(alpha):
    with pytest.raises(ValueError, match="1/4"):
        stencil.hot_plate(8, 8, 1, alpha, dtype="float64", rng=np.random.default_rng(0))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_sabotage_is_caught(dtype):
    """A weight off in its last bits, a step too few, nothing at all, a row that is a step behind."""
    u, alpha, steps = stencil.hot_plate(24, 31, 6, dtype=dtype, rng=np.random.default_rng(4))
    exact, bound = stencil.in_double(u, alpha, steps), stencil.rounded(4)(u, alpha, steps)
    good = stencil.numpy_slices(u, alpha, steps)
    torn = good.copy()
    torn[12] = stencil.numpy_slices(u, alpha, steps - 1)[12]
    off = alpha * (1 + 256 * float(np.finfo(dtype).eps))
    for bad in (stencil.numpy_slices(u, off, steps), stencil.numpy_slices(u, alpha, steps - 1), good * 0, torn):
        assert stencil.error(bad, u, alpha, steps, exact) > bound
    assert stencil.error(good, u, alpha, steps, exact) <= bound


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_is_made_of_vectors(dtype):
    numba = pytest.importorskip("numba")
    number, place = numba.from_dtype(np.dtype(dtype)), numba.int64
    grid = number[:, ::1]
    signature = (grid, place, place, place, place, grid, place, place, place, number, number)
    assert vector_width(compiled.step_row, signature) >= host_width()
