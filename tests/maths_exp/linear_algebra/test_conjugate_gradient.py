"""Conjugate gradients: known solutions, Chebyshev's bound, a factor that is A where A is, and checks that bite."""

import numpy as np
import pytest
from assembly import host_width, vector_width

from exp_core.machine import thread_limit
from maths_exp.linear_algebra import _conjugate_gradient_check as check
from maths_exp.linear_algebra import _conjugate_gradient_diagonals as diagonals
from maths_exp.linear_algebra import _conjugate_gradient_preconditioned as preconditioned
from maths_exp.linear_algebra import _conjugate_gradient_red_black as red_black
from maths_exp.linear_algebra import _conjugate_gradient_stencil as stencil
from maths_exp.linear_algebra import conjugate_gradient as cg
from maths_exp.linear_algebra._conjugate_gradient_check import residual
from maths_exp.linear_algebra._conjugate_gradient_problems import laplacian

TRIANGULAR = ("cg_incomplete_cholesky", "cg_ssor")
ROWS = {row.name: row for row in cg.EXPERIMENT.implementations}


def run(name, inputs):
    row = ROWS[name]
    for module in row.modules:
        pytest.importorskip(module)
    return row.function(*row.prepare(*inputs) if row.prepare else inputs)


def poisson(side, tolerance=1e-10, dimensions=2):
    make = {2: cg.poisson_2d, 3: cg.poisson_3d}[dimensions]
    return make(side, tolerance, dtype="float64", rng=np.random.default_rng(1))


def eigenpair(side, *waves):
    """A product of sines, and the sum of 4 sin^2: of Poisson's matrix on a grid these are known exactly."""
    line = np.arange(1, side + 1) * np.pi / (side + 1)
    vector, value = np.ones(1), 0.0
    for wave in waves:
        vector = np.kron(vector, np.sin(wave * line))
        value += 4 * np.sin(wave * np.pi / (2 * (side + 1))) ** 2
    return vector, value


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("waves", [((1, 2), (3, 3)), ((1, 2, 1), (2, 2, 3))], ids=["2d", "3d"])
def test_eigenvectors_are_found_in_as_many_steps(name, waves):
    """b of two eigenvectors has a solution in closed form; plain CG needs two steps for two eigenvalues."""
    side = 9
    data, indices, indptr, *_ = poisson(side, dimensions=len(waves[0]))
    (v, lam), (w, mu) = (eigenpair(side, *wave) for wave in waves)
    x, k = run(name, (data, indices, indptr, v + w, 1e-12))
    exact = v / lam + w / mu
    least = eigenpair(side, *[1] * len(waves[0]))[1]
    assert np.linalg.norm(x - exact) <= 2 * 1e-12 * np.linalg.norm(v + w) / least  # |e| <= |r| / least eigenvalue
    assert k == 2 or name in TRIANGULAR


@pytest.mark.parametrize("name", ["cg_rows", "cg_vectorised", "cg_fused", "cg_diagonals", "scipy_cg"])
def test_never_slower_than_chebyshev(name):
    """|e_k|_A <= 2 ((root - 1) / (root + 1))^k |e_0|_A, and |r| is within the root of kappa of it (Saad, 6.11)."""
    side, tolerance = 24, 1e-8
    inputs = poisson(side, tolerance)
    least, most = eigenpair(side, 1, 1)[1], eigenpair(side, side, side)[1]
    root = np.sqrt(most / least)
    allowed = np.ceil(np.log(tolerance / (2 * root)) / np.log((root - 1) / (root + 1)))
    assert 1 < run(name, inputs)[1] <= allowed


def test_the_incomplete_factor_is_right_where_a_has_entries():
    pytest.importorskip("numba")
    from scipy.sparse import csr_array

    inputs = cg.mixed_units(7, 100.0, dtype="float64", rng=np.random.default_rng(2))
    A = cg.as_dense(*inputs)[0]
    L, columns, pointers = preconditioned.incomplete_cholesky(*inputs[:3])
    L = with_its_diagonal(csr_array((L, columns, pointers), shape=A.shape).toarray())
    assert np.array_equal(L, np.tril(L)) and not np.any(L[A == 0])
    np.testing.assert_allclose((L @ L.T)[A != 0], A[A != 0], rtol=1e-13)


def with_its_diagonal(L):
    """The factor as it is written on paper: it is stored with the reciprocals of its diagonal."""
    return np.tril(L, -1) + np.diag(1 / np.diag(L))


def test_the_factor_of_ssor_is_that_of_the_book():
    """M = omega / (2 - omega) (D / omega + E) D^-1 (D / omega + E^T), Saad (10.8) over omega; our multiple of it."""
    pytest.importorskip("numba")
    from scipy.sparse import csr_array

    inputs = cg.mixed_units(7, 100.0, dtype="float64", rng=np.random.default_rng(2))
    A, omega = cg.as_dense(*inputs)[0], 1.3
    L, columns, pointers = preconditioned.ssor(*inputs[:3], omega)
    L = with_its_diagonal(csr_array((L, columns, pointers), shape=A.shape).toarray())
    lower = np.diag(np.diag(A)) / omega + np.tril(A, -1)
    np.testing.assert_allclose(L @ L.T, lower / np.diag(A) @ lower.T, rtol=0, atol=1e-13 * A.max())


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("side", [1, 2, 5, 6])
def test_the_omega_is_youngs(side, dimensions):
    """2 / (1 + sqrt(2 (1 - rho))) with the spectral radius of Jacobi's matrix, computed."""
    A = cg.as_dense(*poisson(side, dimensions=dimensions))[0]
    rho = np.abs(np.linalg.eigvalsh(np.eye(len(A)) - A / (2 * dimensions))).max()
    m = int((A != 0).sum(axis=1).max())
    if m == 2 * dimensions + 1:  # a grid of side 2 has no point with all its neighbours: there it is a guess
        assert abs(preconditioned.relaxation(len(A), m) - 2 / (1 + np.sqrt(2 * (1 - rho)))) < 1e-14


def test_ssor_needs_the_root_of_the_steps():
    """A side four times as long: four times the steps for plain CG, twice for SSOR (Young 1971)."""
    growth = {name: run(name, poisson(128))[1] / run(name, poisson(32))[1] for name in ("cg_diagonals", "cg_ssor")}
    assert growth["cg_ssor"] < 2.3 and growth["cg_diagonals"] > 3


def test_colours_of_a_chessboard_and_none_of_a_triangle():
    pytest.importorskip("numba")
    side = 6
    _, indices, indptr, *_ = poisson(side)
    board = np.indices((side, side)).sum(axis=0).ravel() % 2
    assert np.array_equal(red_black.two_colours(indices, indptr), board)
    triangle = np.eye(3) + 3
    A = (triangle.ravel(), np.tile(np.arange(3, dtype=np.int32), 3), np.arange(0, 12, 3, dtype=np.int32))
    assert ROWS["cg_red_black"].skip(*A, np.ones(3), 1e-8)
    with pytest.raises(ValueError, match="two colours"):
        red_black.cg_red_black(*A, np.ones(3), 1e-8)
    x, _ = run("cg_ssor", (*A, np.ones(3), 1e-14))
    np.testing.assert_allclose(x, np.linalg.solve(triangle, np.ones(3)), rtol=1e-12)


def test_red_and_black_do_not_touch():
    """Two grids that are not connected: each is coloured from its own first point."""
    pytest.importorskip("numba")
    from scipy.sparse import block_diag, csr_array

    A = csr_array(block_diag([laplacian(3, 2), laplacian(4, 1)]))
    colour = red_black.two_colours(A.indices, A.indptr)
    rows = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    assert np.all(colour[rows] + colour[A.indices] == np.where(rows == A.indices, 2 * colour[rows], 1))


def test_preconditioners_do_what_they_are_for():
    """IC(0) needs less than half the steps on Poisson; Jacobi repairs units, not a constant diagonal."""
    inputs = poisson(40)
    plain = run("cg_vectorised", inputs)[1]
    assert run("cg_jacobi", inputs)[1] == plain
    assert 2 * run("cg_incomplete_cholesky", inputs)[1] < plain
    for name in ("cg_red_black", "cg_stencil"):
        assert plain <= 2 * run(name, inputs)[1] <= 1.1 * plain + 2
    hard = cg.mixed_units(20, 100.0, dtype="float64", rng=np.random.default_rng(3))
    assert 4 * run("cg_jacobi", hard)[1] < run("cg_vectorised", hard)[1]


@pytest.mark.parametrize("name", ROWS)
def test_zero_is_solved_by_zero_and_poison_is_never_right(name):
    data, indices, indptr, b, tolerance = poisson(6)
    x, k = run(name, (data, indices, indptr, 0 * b, tolerance))
    assert not x.any() and k == 0
    b[5] = np.nan
    with np.errstate(all="ignore"):
        assert not residual(run(name, (data, indices, indptr, b, tolerance)), data, indices, indptr, b, tolerance) <= 1


@pytest.mark.parametrize("name", ROWS)
def test_stopping_early_is_caught(name):
    """A hundred times the tolerance, or a diagonal a little too large: both are seen."""
    data, indices, indptr, b, tolerance = inputs = poisson(12, 1e-8)
    early = run(name, (data, indices, indptr, b, 100 * tolerance))
    assert residual(early, *inputs) > 1
    spoilt = np.where(np.repeat(np.arange(b.size), np.diff(indptr)) == indices, (1 + 1e-5) * data, data)
    assert residual(run(name, (spoilt, indices, indptr, b, tolerance)), *inputs) > 1


@pytest.mark.parametrize("name", ["cg_fused", "cg_diagonals", "cg_red_black", "cg_stencil"])
def test_threads_do_not_change_a_bit(name):
    numba = pytest.importorskip("numba")
    inputs = poisson(101)
    results = []
    for count in {1, numba.get_num_threads()}:
        with thread_limit(count):
            results.append(run(name, inputs))
    assert all(np.array_equal(x, results[0][0]) and k == results[0][1] for x, k in results)


@pytest.mark.parametrize("side, dimensions", [(300, 2), (67, 3)])
def test_seams_do_not_change_a_bit(side, dimensions):
    """Parts that meet where F reaches one block, and where it reaches two; three of them have a middle one."""
    pytest.importorskip("numba")
    data, indices, indptr, b, _ = poisson(side, dimensions=dimensions)
    red, black, place = red_black.chessboard(indices, indptr)
    offsets, values, main = stencil.diagonals(data, indices, indptr, red, place)
    wide = np.abs(offsets).max()
    assert -(-wide // stencil.ROWS) == dimensions - 1
    there = stencil.presence(indices, indptr, red, place, offsets, wide, max(red.size, black.size))
    b = b[black]
    x, k = stencil.one_pass(there, values, offsets, main[0], red.size, b, 0.01 * np.linalg.norm(b), b.size, 1)
    for parts in (2, 3):
        assert b.size >= 4 * parts * (dimensions - 1) * stencil.ROWS
        again = stencil.one_pass(there, values, offsets, main[0], red.size, b, 0.01 * np.linalg.norm(b), b.size, parts)
        assert k > 5 and again[1] == k and np.array_equal(again[0], x)


@pytest.mark.parametrize("tolerance", [1e-6, 1e-14])
def test_a_foretold_beta_costs_no_steps(tolerance):
    """Even as far down as rounding lets the true residual go, and beyond: the one carried along falls on."""
    inputs = poisson(64, tolerance)
    assert abs(run("cg_stencil", inputs)[1] - run("cg_red_black", inputs)[1]) <= 1


def test_what_is_no_stencil_is_refused():
    """Units make each row another one; a single entry does as well, on A's diagonal or beside it."""
    pytest.importorskip("numba")
    units = cg.mixed_units(7, dtype="float64", rng=np.random.default_rng(2))
    data, *others = poisson(6)
    spoilt = [np.where(np.arange(data.size) == e, 1.5 * data, data) for e in (7, 9)]
    for inputs in (units, *((array, *others) for array in spoilt)):
        assert ROWS["cg_stencil"].skip(*inputs)
        with pytest.raises(ValueError, match="no stencil"):
            run("cg_stencil", inputs)
    assert ROWS["cg_stencil"].skip(data, *others) is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_product_by_diagonals_is_made_of_vectors(dtype):
    numba = pytest.importorskip("numba")
    number = numba.from_dtype(np.dtype(dtype))
    signature = (number[:, ::1], numba.int64[::1], number[::1], numba.int64, number[::1])
    assert vector_width(diagonals.block_product, signature) >= host_width()


def test_the_stencils_product_is_made_of_vectors():
    numba = pytest.importorskip("numba")
    line, whole = numba.float64[::1], numba.int64[::1]
    signature = (numba.uint8[:, ::1], line, whole, whole, line, numba.int64, line)
    assert vector_width(stencil.couple, signature) >= host_width()


@pytest.mark.parametrize("cache", [0, check.CACHE])
def test_costs_tell_what_is_written(monkeypatch, cache):
    """Within the cache the solution alone; beyond it x, r, p and A p of each step as well."""
    monkeypatch.setattr(check, "CACHE", cache)
    inputs = cg.poisson_2d(9, dtype="float64", rng=np.random.default_rng(0))
    n, k = inputs[3].size, cg.scipy_cg(*cg.as_scipy(*inputs))[1]
    for implementation in cg.EXPERIMENT.implementations:
        cost = implementation.cost(*inputs)
        assert cost.writes, implementation.name
        assert cost.written < cost.bytes
    stores = check.PLAIN(*inputs).written
    assert stores == pytest.approx((4 * k + 1) * n * 8 if cache == 0 else n * 8)
