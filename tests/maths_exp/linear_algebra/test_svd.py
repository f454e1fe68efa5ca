"""SVD: known singular values, relative accuracy where theory has it, Halko's bound, and checks that bite."""

import numpy as np
import pytest
from assembly import host_width, vector_width
from counting import Tally, counted

from exp_core.machine import thread_limit
from exp_core.tensor import gamma
from maths_exp.linear_algebra import _svd_costs as costs
from maths_exp.linear_algebra import _svd_jacobi as jacobi
from maths_exp.linear_algebra import _svd_krylov as krylov
from maths_exp.linear_algebra import _svd_laws as laws
from maths_exp.linear_algebra import _svd_randomised as samples
from maths_exp.linear_algebra import svd

ROWS = {row.name: row for row in svd.EXPERIMENT.implementations}
FULL = [name for name, row in ROWS.items() if row.skip is None]
JACOBI = ["one_sided_jacobi", "jacobi_rounds", "jacobi_compiled", "lapack_gejsv"]


def run(name, inputs):
    row = ROWS[name]
    for module in row.modules:
        pytest.importorskip(module)
    return row.function(*row.prepare(*inputs) if row.prepare else inputs)


def broken(result, inputs):
    errors = svd.EXPERIMENT.errors(result, inputs, laws.singular_values(*inputs))
    return [law for law, error in errors.items() if not error <= 1]


@pytest.mark.parametrize("name", FULL)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_hadamards_matrix_has_equal_singular_values(name, dtype):
    """H^T H = n I: all are sqrt(n), exactly; and a diagonal of powers of two beside it makes them known powers."""
    from scipy.linalg import hadamard

    D = 2.0 ** -np.arange(16)
    A = (hadamard(16) * D).astype(dtype)
    U, s, Vt = run(name, (A, 16, 0.0))
    np.testing.assert_allclose(s, 4 * D, rtol=0, atol=4 * laws.rounding(A) * np.linalg.norm(D))
    assert U.dtype == s.dtype == Vt.dtype == A.dtype and not broken((U, s, Vt), (A, 16, 0.0))


@pytest.mark.parametrize("name", FULL)
@pytest.mark.parametrize("kind", ["zero", "one column", "rank one", "identity", "wide"])
def test_deficient_and_odd(name, kind):
    A = np.random.default_rng(2).standard_normal((9, 6))
    if kind == "zero":
        A[:] = 0
    elif kind == "one column":
        A[:, :5] = 0
    elif kind == "rank one":
        A = np.outer(A[:, 0], A[0])
    elif kind == "identity":
        A = np.eye(9, 6)
    else:
        A = A.T.copy()
    before = A.copy()
    assert not broken(run(name, (A, 6, 0.0)), (A, 6, 0.0))
    assert np.array_equal(A, before)


def exact_pair(tiny):
    """[[1, 1], [0, tiny]] sheared: the product of its singular values is tiny, the sum of their squares 2 + tiny^2."""
    A = np.array([[1.0, 1.0], [0.0, tiny]])
    largest = np.sqrt((2 + tiny**2 + np.sqrt((2 + tiny**2) ** 2 - 4 * tiny**2)) / 2)
    return A * 1.0, largest, tiny / largest


@pytest.mark.parametrize("name", FULL)
def test_two_by_two_in_closed_form(name):
    A, largest, least = exact_pair(2.0**-20)
    _, s, _ = run(name, (A, 2, 0.0))
    np.testing.assert_allclose(s, [largest, least], rtol=0, atol=laws.rounding(A) * 2)


@pytest.mark.parametrize("name", JACOBI)
def test_jacobi_keeps_the_digits_of_tiny_singular_values(name):
    """A = B D: relative errors of kappa(B) u n, whatever D is (Demmel, Veselic 1992, theorem 4.1); gesdd loses all."""
    rng = np.random.default_rng(3)
    B, D = rng.standard_normal((12, 12)), rng.permutation(np.geomspace(1, 1e-18, 12))
    exact = by_determinants(B, D)
    u = 2.0**-53
    allowed = 12 * 12 * np.linalg.cond(B / np.linalg.norm(B, axis=0)) * u
    least = run(name, (B * D, 12, 0.0))[1][-1]
    assert abs(least - exact) <= allowed * exact
    assert abs(run("lapack_gesdd", (B * D, 12, 0.0))[1][-1] - exact) > 1e3 * allowed * exact


def by_determinants(B, D):
    """The least singular value of B D by inverse iteration with (B D)^-1, in rational arithmetic: 1 / ||(BD)^-1||."""
    from fractions import Fraction

    n = len(D)
    rows = [[Fraction(float(x)) for x in row] + [Fraction(i == j) for j in range(n)] for i, row in enumerate(B * D)]
    for j in range(n):
        pivot = max(range(j, n), key=lambda i: abs(rows[i][j]))
        rows[j], rows[pivot] = rows[pivot], rows[j]
        rows[j] = [x / rows[j][j] for x in rows[j]]
        for i in range(n):
            if i != j:
                rows[i] = [x - rows[i][j] * y for x, y in zip(rows[i], rows[j], strict=True)]
    inverse = np.array([[float(x) for x in row[n:]] for row in rows])
    return 1 / np.linalg.norm(inverse, 2)


def test_a_tournament_meets_everybody_once():
    for n in (1, 2, 5, 8, 13):
        table = jacobi.rounds(n)
        assert sorted(map(tuple, table.reshape(-1, 2))) == [(i, j) for i in range(n) for j in range(i + 1, n)]
        assert all(len(set(games.ravel())) == games.size for games in table)


def halko(sigma, k, p, q):
    """What the error in the 2-norm is at most after q power iterations on k + p vectors, but for a chance of 3 / p^p.

    HMT (2011), corollary 10.9 and theorem 9.2; then rank k of k + p.
    """
    power = 2 * q + 1
    spread = 3 * np.sqrt(k + p) * np.linalg.norm(sigma[k:] ** power)
    return ((1 + 6 * np.sqrt((k + p) * p * np.log(p))) * sigma[k] ** power + spread) ** (1 / power) + sigma[k]


@pytest.mark.parametrize("q", [0, 1, 2])
def test_within_halkos_bound(q):
    k = 8
    A, _, _ = svd.decaying(120, 80, k, dtype="float64", rng=np.random.default_rng(4))
    sigma = 1 / np.arange(1, 81)
    U, s, Vt = samples.randomised(A, k, q)
    off = np.linalg.norm(A - (U * s) @ Vt, 2)
    assert sigma[k] * (1 - 1e-12) <= off <= halko(sigma, k, samples.OVERSAMPLES, q)


@pytest.mark.parametrize(
    ("products", "right_angles"),
    [
        (krylov.two_products, krylov.at_right_angles),
        (krylov.one_reading, krylov.at_right_angles_compiled),
    ],
)
@pytest.mark.parametrize("q", [0, 1, 3])
def test_krylovs_space_holds_the_power_iterations_of_its_block(products, right_angles, q):
    """Its last power is a power iteration with a block of 8 = 4 + 4: it is as near, and as rank k of a larger space."""
    pytest.importorskip("numba")
    k = 4
    A, _, _ = svd.decaying(120, 80, k, dtype="float64", rng=np.random.default_rng(4))
    sigma = 1 / np.arange(1, 81)
    U, s, Vt = krylov.krylov(A, k, q, products, right_angles, np.linalg.qr)
    powers = krylov.dimension(A, k, q) // krylov.BLOCK - 1
    off = np.linalg.norm(A - (U * s) @ Vt, 2)
    assert sigma[k] * (1 - 1e-12) <= off <= halko(sigma, k, krylov.BLOCK - k, powers)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("m", "n", "b"), [(1, 1, 1), (3, 5, 1), (4, 9, 3), (257, 31, 8), (1031, 17, 5)])
def test_one_reading_makes_both_products(dtype, m, n, b):
    """Rows and columns that are no multiples of four; each product is within Higham (2002), eq. (3.13)."""
    pytest.importorskip("numba")
    rng = np.random.default_rng(11)
    A, X = rng.standard_normal((m, n)).astype(dtype), rng.standard_normal((b, n)).astype(dtype)
    Z, Y = krylov.one_reading(A, X)
    assert Z.dtype == Y.dtype == A.dtype
    A, X = A.astype(np.longdouble), X.astype(np.longdouble)
    sizes = abs(X) @ abs(A.T)
    assert np.all(abs(Z - X @ A.T) <= gamma(n, dtype) * sizes)
    assert np.all(abs(-Y - X @ A.T @ A) <= gamma(m + n, dtype) * (sizes @ abs(A)))


@pytest.mark.parametrize("function", [krylov.at_right_angles, krylov.at_right_angles_compiled])
@pytest.mark.parametrize(("b", "before"), [(8, 0), (8, 16), (3, 8), (1, 24)])
def test_right_angles_even_to_what_is_nearly_there_already(function, b, before):
    """Rows of which a millionth is new: once loses six digits, twice none, but for the rounding of inner products."""
    pytest.importorskip("numba")
    rng = np.random.default_rng(13)
    V = np.linalg.qr(rng.standard_normal((50, before)))[0].T.copy()
    X = rng.standard_normal((b, before)) @ V + 1e-6 * rng.standard_normal((b, 50))
    given = X.copy()
    Y = function(X, V)
    assert np.array_equal(X, given)
    all_rows = np.vstack([V, Y])
    assert np.abs(all_rows @ all_rows.T - np.eye(before + b)).max() <= 2 * gamma(50, X)
    assert np.linalg.norm(X - X @ all_rows.T @ all_rows) <= 10 * gamma(50, X) * np.linalg.norm(X), "the same space"


def test_krylov_needs_fewer_products_than_powers():
    inputs = svd.decaying(400, 200, 10, dtype="float64", rng=np.random.default_rng(5), excess=1e-5)
    A, k, q = samples.fewest(krylov.block_krylov)(*inputs)
    powers = samples.fewest(samples.randomised)(*inputs)[2]
    assert krylov.dimension(A, k, q) < (powers + 1) * (k + samples.OVERSAMPLES)


KRYLOV = [krylov.block_krylov, krylov.krylov_compiled]


@pytest.mark.parametrize("method", KRYLOV)
def test_krylov_when_there_are_no_directions_left(method):
    """Rank 3 of 40: the second block is rounding, and beyond the fifth there is no room."""
    pytest.importorskip("numba")
    rng = np.random.default_rng(6)
    A = rng.standard_normal((60, 3)) @ rng.standard_normal((3, 40))
    for q in (0, 1, 2, 9):
        assert not broken(method(A, 3, q), (A, 3, 0.0))


@pytest.mark.parametrize("method", KRYLOV)
@pytest.mark.parametrize("shape", [(27, 18), (18, 27), (19, 19)])
def test_krylovs_space_is_all_of_a_small_matrix_in_the_end(method, shape):
    """Also where A is wide: nothing that it maps to zero takes up room."""
    pytest.importorskip("numba")
    A = np.random.default_rng(14).standard_normal(shape)
    assert not broken(method(A, 4, 1), (A, 4, 0.0))


@pytest.mark.parametrize("method", KRYLOV)
@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e30])
@pytest.mark.parametrize("order", ["C", "F"])
def test_krylov_where_squares_vanish_or_overflow(method, scale, order):
    """A^T A X leaves float32's range at 1e-45 and 1e38: A is scaled first."""
    pytest.importorskip("numba")
    A, k, excess = svd.decaying(60, 40, 3, dtype="float32", rng=np.random.default_rng(12))
    A = np.asarray(A * np.float32(scale), order=order)
    with np.errstate(all="ignore"):
        result = method(A, k, 5)
    assert not broken(result, (A, k, excess))


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize(
    ("law", "damage"),
    [
        ("error", lambda U, s, Vt: (np.roll(U, 1, axis=1), s, Vt)),
        ("error", lambda U, s, Vt: (-U, s, Vt)),
        ("error", lambda U, s, Vt: (U, s * (s > s[-1]), Vt)),
        ("orthogonality", lambda U, s, Vt: (U * (1 + 1e-9), s, Vt)),
        ("values", lambda U, s, Vt: (U[:, ::-1], s[::-1], Vt[::-1])),
        ("values", lambda U, s, Vt: (-U, -s, Vt)),
    ],
)
def test_sabotage_is_caught(name, law, damage):
    inputs = svd.decaying(50, 30, 5, dtype="float64", rng=np.random.default_rng(7))
    result = run(name, inputs)
    assert not broken(result, inputs)
    assert law in broken(damage(*result), inputs)


def test_threads_do_not_change_a_bit():
    pytest.importorskip("numba")
    rng = np.random.default_rng(8)
    inputs, (A, X) = svd.square(40, dtype="float64", rng=rng), (rng.standard_normal((k, 90)) for k in (1030, 8))
    results = []
    for threads in (1, 2):
        with thread_limit(threads):
            results.append((*run("jacobi_compiled", inputs), *krylov.one_reading(A, X)))
    assert all(map(np.array_equal, *results))


def test_sizes_that_make_no_sense_are_refused():
    rng = np.random.default_rng(9)
    with pytest.raises(ValueError, match="--rank"):
        svd.decaying(5, 4, 6, dtype="float64", rng=rng)
    with pytest.raises(ValueError, match="--excess"):
        svd.decaying(5, 4, 2, excess=-1.0, dtype="float64", rng=rng)
    with pytest.raises(ValueError, match="--grade"):
        svd.graded(5, 1e-40, dtype="float64", rng=rng)


@pytest.mark.parametrize("n", [6, 16])
def test_the_cost_of_jacobi_is_recounted(n):
    A = np.random.default_rng(10).standard_normal((2 * n, n))
    tally = Tally()
    svd.one_sided_jacobi(counted(A, tally), n)
    assert 1 / 1.5 <= tally.flops / costs.jacobi(A, n, 0.0).flops <= 1.5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rotations_and_readings_are_made_of_vectors(dtype):
    numba = pytest.importorskip("numba")
    number = numba.from_dtype(np.dtype(dtype))
    row, matrix = number[::1], number[:, ::1]
    assert vector_width(jacobi.turn_pair, (row, row, numba.int64, numba.float64)) >= host_width()
    signature = (matrix, matrix, numba.int64, numba.int64, matrix, matrix)
    assert vector_width(krylov.read_part, signature) >= host_width()
