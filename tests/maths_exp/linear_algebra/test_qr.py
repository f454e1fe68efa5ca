"""QR: the laws on every shape, what the condition number does to each method, and checks that catch broken ones."""

import builtins
import math

import numpy as np
import pytest
from assembly import host_width, vector_width
from counting import Tally, counted

from exp_core import Skip
from exp_core.contestants import Contestant
from exp_core.machine import thread_limit
from exp_core.tensor import unit_roundoff
from maths_exp.linear_algebra import _qr_blocks as blocks
from maths_exp.linear_algebra import _qr_bounds as bounds
from maths_exp.linear_algebra import _qr_cholesky as cholesky
from maths_exp.linear_algebra import _qr_tiles as tiles
from maths_exp.linear_algebra import qr

ROWS = {row.name: row for row in qr.EXPERIMENT.implementations}
STABLE = [name for name, row in ROWS.items() if not row.unstable]
COMPILED = ["tsqr", "cholesky_qr_adaptive"]
SHAPES = [(1, 1), (9, 1), (2, 2), (13, 13), (53, 7), (1031, 5), (2053, 33), (300, 130)]


def run(name, A):
    row = ROWS[name]
    for module in row.modules:
        pytest.importorskip(module)
    return Contestant(row).ready((A,))()


def assert_laws(name, A):
    result = run(name, A)
    errors = qr.EXPERIMENT.errors(result, (A,))
    limits = qr.EXPERIMENT.bounds(ROWS[name], (A,))
    assert all(errors[law] <= limits[law] for law in errors), (name, A.shape, errors, limits)
    return result


def lauchli(n, epsilon, dtype="float64"):
    """Ones over epsilon times the identity: 1 + epsilon^2 is where the Gram matrix forgets epsilon."""
    return np.vstack([np.ones((1, n)), epsilon * np.eye(n)]).astype(dtype)


def with_condition(m, n, kappa, seed=0):
    (A,) = qr.conditioned(m, n, kappa, dtype="float64", rng=np.random.default_rng(seed))
    return A


# Givens turns once for each entry, in plain Python: the largest shapes are not for it.
SHAPES_OF = [(name, shape) for name in STABLE for shape in SHAPES if name != "givens" or math.prod(shape) <= 6000]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "shape"), SHAPES_OF, ids=str)
def test_laws_on_awkward_shapes(name, shape, dtype):
    A = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    Q, R = assert_laws(name, A)
    assert Q.shape == shape and R.shape == (shape[1], shape[1])
    assert Q.dtype == R.dtype == A.dtype
    assert np.array_equal(R, np.triu(R))


@pytest.mark.parametrize("name", STABLE)
@pytest.mark.parametrize("kind", ["zero", "zero column", "twice the same column", "rank one", "identity"])
def test_rank_deficient(name, kind):
    A = np.random.default_rng(2).standard_normal((40, 6))
    if kind == "zero":
        A[:] = 0
    elif kind == "zero column":
        A[:, 2] = 0
    elif kind == "twice the same column":
        A[:, 4] = A[:, 1]
    elif kind == "rank one":
        A = np.outer(A[:, 0], A[0])
    else:
        A = np.eye(40, 6)
    assert_laws(name, A)


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e-150, 1e150, 1e170, 1e300])
@pytest.mark.parametrize("name", STABLE)
def test_scales_beyond_the_squares(name, scale):
    assert_laws(name, np.random.default_rng(3).standard_normal((60, 5)) * scale)


@pytest.mark.parametrize("name", STABLE)
def test_columns_in_different_units(name):
    assert_laws(name, np.random.default_rng(4).standard_normal((600, 6)) * np.logspace(-12, 12, 6))


@pytest.mark.parametrize("name", STABLE)
@pytest.mark.parametrize("poison", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero", "ignore:overflow")
def test_not_a_number_is_never_right(name, poison):
    A = np.random.default_rng(5).standard_normal((50, 4))
    A[17, 2] = poison
    errors = qr.EXPERIMENT.errors(run(name, A), (A,))
    assert any(np.isnan(error) for error in errors.values())


@pytest.mark.parametrize("name", ["householder", "modified_gram_schmidt", "modified_gram_schmidt_rows", *COMPILED])
def test_agrees_with_lapack_up_to_signs(name):
    A = np.random.default_rng(6).standard_normal((1500, 9))
    Q, R = run(name, A)
    expected_Q, expected_R = np.linalg.qr(A)
    signs = np.sign(np.diag(R)) * np.sign(np.diag(expected_R))
    np.testing.assert_allclose(R, signs[:, None] * expected_R, rtol=0, atol=1e-12 * np.linalg.norm(A))
    np.testing.assert_allclose(Q, signs * expected_Q, rtol=0, atol=1e-12)


def test_lauchli_separates_the_methods():
    """epsilon^2 < u: classical Gram-Schmidt takes the columns' angles for 60 degrees; modified loses only epsilon."""
    u = unit_roundoff("float64")
    A = lauchli(4, 1e-9)
    loss = {name: bounds.orthogonality(run(name, A), A) for name in ROWS if name not in ("cholesky_qr2", "numpy_qr")}
    assert loss["classical_gram_schmidt"] > 0.5
    assert 1e-10 < loss["modified_gram_schmidt"] < 1e-8
    assert all(loss[name] < 50 * u for name in loss if name in STABLE)


def test_cholesky_qr2_stops_where_its_theorem_does():
    """At kappa = 1e5 the second round wins back what the first one lost; at 1e9 there is no Cholesky factor."""
    A = with_condition(200, 8, 1e5)
    assert bounds.orthogonality(blocks.cholesky_qr(A), A) > 1e3 * bounds.orthogonality(blocks.cholesky_qr2(A), A)
    assert_laws("cholesky_qr2", A)
    A = with_condition(200, 8, 1e12)
    assert not bounds.orthogonality(blocks.cholesky_qr2(A), A) < bounds.cholesky_orthogonality(A)


@pytest.mark.parametrize(("kappa", "readings", "falls_back"), [(1.5, 2, False), (1e4, 3, False), (1e13, 1, True)])
def test_adaptive_does_what_the_condition_number_asks_for(monkeypatch, kappa, readings, falls_back):
    pytest.importorskip("numba")
    calls, fallen = [], []
    sweep, tsqr = cholesky.sweep, cholesky.tsqr
    monkeypatch.setattr(cholesky, "sweep", lambda *a: calls.append(a) or sweep(*a))
    monkeypatch.setattr(cholesky, "tsqr", lambda A: fallen.append(A) or tsqr(A))
    assert_laws("cholesky_qr_adaptive", with_condition(900, 10, kappa))
    assert bool(fallen) == falls_back
    assert len(calls) == readings if not falls_back else len(calls) <= 2


@pytest.mark.parametrize("kappa", 10.0 ** np.arange(0, 17))
@pytest.mark.parametrize("name", COMPILED)
def test_compiled_hold_at_every_condition_number(name, kappa):
    assert_laws(name, with_condition(1200, 12, kappa))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_hilbert_splits_the_field(dtype):
    (A,) = qr.hilbert(60, 14, dtype=dtype, rng=None)
    for name in STABLE:
        assert_laws(name, A)
    for name in set(ROWS) - set(STABLE):
        result = run(name, A)
        assert not qr.EXPERIMENT.errors(result, (A,))["orthogonality"] <= ROWS[name].bound["orthogonality"](A)
    assert_laws_of_the_triangle_only(A)


def assert_laws_of_the_triangle_only(A):
    """A = QR holds to the last digits even for a Q that is not orthogonal."""
    for name in ("classical_gram_schmidt", "modified_gram_schmidt", "modified_gram_schmidt_rows"):
        assert bounds.factorisation(run(name, A), A) <= ROWS[name].bound["factorisation"](A)


def test_modified_gram_schmidt_loses_kappa_and_classical_its_square():
    """The slope of the loss against kappa, on logarithmic scales."""
    kappas = np.geomspace(1e2, 1e6, 9)
    matrices = [with_condition(60, 12, kappa) for kappa in kappas]
    for method, power in ((qr.modified_gram_schmidt, 1), (qr.classical_gram_schmidt, 2)):
        losses = [bounds.orthogonality(method(A), A) for A in matrices]
        slope = np.polyfit(np.log(kappas), np.log(losses), 1)[0]
        assert abs(slope - power) < 0.35


@pytest.mark.parametrize("name", STABLE)
@pytest.mark.parametrize(
    ("law", "damage"),
    [
        ("orthogonality", lambda Q, R, e: (Q * (1 + e), R)),
        ("orthogonality", lambda Q, R, e: (Q + e * np.eye(*Q.shape), R)),
        ("factorisation", lambda Q, R, e: (Q, R * (1 + e))),
        ("factorisation", lambda Q, R, e: (Q, R + e * np.linalg.norm(R) * np.tri(len(R), k=-1))),
        ("factorisation", lambda Q, R, e: (-Q, R)),
        ("orthogonality", lambda Q, R, e: (np.where(np.arange(Q.shape[1]) == 0, Q[:, 1:2], Q), R)),
    ],
)
def test_sabotage_is_caught(name, law, damage):
    A = np.random.default_rng(7).standard_normal((80, 6))
    Q, R = run(name, A)
    limit = ROWS[name].bound[law](A)
    broken = damage(Q, R, 16 * limit)
    assert qr.EXPERIMENT.errors(broken, (A,))[law] > limit


def test_a_lost_reading_of_the_gram_matrix_is_caught(monkeypatch):
    """A Gram matrix without its last part still has a Cholesky factor, and the one-round way would not notice."""
    pytest.importorskip("numba")
    sweep = cholesky.sweep

    def forgetful(A, R, Q, G, solve, gram):
        sweep(A, R, Q, G, solve, gram)
        if gram:
            G[-1] = 0

    monkeypatch.setattr(cholesky, "sweep", forgetful)
    A = np.random.default_rng(8).standard_normal((5000, 8))
    assert bounds.orthogonality(cholesky.cholesky_qr_adaptive(A), A) > bounds.adaptive_orthogonality(A)


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_layout_and_read_only_input(name, order):
    pytest.importorskip("numba")
    A = np.array(np.random.default_rng(9).standard_normal((700, 10)), order=order)[::2]
    A.flags.writeable = False
    Q, R = ROWS[name].function(A)
    assert bounds.factorisation((Q, R), A) < 1e-13


@pytest.mark.parametrize("name", COMPILED)
def test_threads_do_not_change_a_bit(name):
    pytest.importorskip("numba")
    A = np.random.default_rng(10).standard_normal((9001, 6))
    results = []
    for threads in (1, 2):
        with thread_limit(threads):
            results.append(run(name, A))
    assert all(map(np.array_equal, *results))


def test_wide_input_is_skipped_with_the_reason():
    for row in ROWS.values():
        assert isinstance(row.skip(np.ones((2, 3))), Skip)
        assert row.skip(np.ones((3, 3))) is None


def test_dask_is_asked_for_only_where_it_is_used(monkeypatch):
    imports = builtins.__import__

    def without_dask(name, *args, **more):
        if name.partition(".")[0] == "dask":
            raise ModuleNotFoundError("No module named 'dask'")
        return imports(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without_dask)
    assert ROWS["tsqr_dask"].modules == ("dask",)
    assert_laws("lapack", np.eye(3))
    with pytest.raises(ModuleNotFoundError):
        ROWS["tsqr_dask"].prepare(np.eye(3))


def test_costs_count_what_is_done():
    """A tiny case by hand: Gram-Schmidt of two columns of three."""
    A = np.ones((3, 2))
    assert ROWS["modified_gram_schmidt"].cost(A).flops == (6 + 6) + 2 * (6 + 3)
    assert ROWS["givens"].cost(A).flops == 6 * (2 * 4 + 1 * 3)
    tall = np.eye(6, 2)
    assert ROWS["cholesky_qr_adaptive"].cost(tall).bytes < ROWS["cholesky_qr2"].cost(tall).bytes


@pytest.mark.parametrize("name", ["classical_gram_schmidt", "modified_gram_schmidt", "householder", "givens"])
def test_costs_recounted_on_numbers_that_count(monkeypatch, name):
    """The contract's test cannot count through length(), which takes exponents apart: here it is the square root."""
    tally = Tally()
    plain = lambda x: (x @ x).sqrt()  # noqa: E731
    monkeypatch.setattr(qr, "length", plain)
    monkeypatch.setattr(blocks, "length", plain)
    A = np.random.default_rng(11).standard_normal((30, 8))
    ROWS[name].function(counted(A, tally))
    declared = ROWS[name].cost(A).flops
    assert declared / 1.25 <= tally.flops <= 1.25 * declared


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", ["add_dots", "subtract", "divide_by_triangle"])
def test_the_kernels_of_a_tile_are_made_of_vectors(function, dtype):
    numba = pytest.importorskip("numba")
    tile = numba.from_dtype(np.dtype(dtype))[:, ::1]
    places = {"add_dots": (tile, 0, tile, 0, 0, tile), "subtract": (tile, 0, tile, 0, 0, tile)}
    signature = [numba.int64 if x == 0 else x for x in places.get(function, (tile, 0, 0, tile))]
    assert vector_width(getattr(tiles, function), tuple(signature)) >= host_width()
