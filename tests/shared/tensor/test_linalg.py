"""Factorisations: residual and orthogonality as backward stable algorithms promise, and failures that are raised."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.linalg import LinAlgError

from exp_core.tensor import backward_error, cholesky, eigh, from_numpy, normwise_relative, orthogonality, qr, solve, svd

MATRIX = {"seed": st.integers(0, 2**32 - 1), "m": st.sampled_from([1, 2, 5, 13]), "n": st.sampled_from([1, 3, 5])}


def tolerance(case, m, n):
    """Householder's: $\\sqrt n \\gamma_{cmn}$, c a small integer (Higham 2002, theorem 19.4; c = 6), and rounding."""
    return np.sqrt(n) * case.bound(6 * m * n) * 4


def draw(case, seed, *shape):
    return case.array(np.random.default_rng(seed).normal(size=shape))


def float64(case, x):
    return case.exact(x).astype(np.float64)


@settings(max_examples=10, deadline=None)
@given(**MATRIX)
def test_qr_and_svd(case, seed, m, n):
    a = draw(case, seed, m, n)
    exact, k = float64(case, a), min(m, n)
    limit = tolerance(case, max(m, n), n + m)
    q, r = qr(a)
    assert (q.shape, r.shape) == ((m, k), (k, n))
    assert normwise_relative(float64(case, q) @ float64(case, r), exact) <= limit
    assert orthogonality(q) <= limit
    assert (np.tril(case.exact(r), -1) == 0).all()
    u, s, vt = svd(a)
    assert (u.shape, s.shape, vt.shape) == ((m, k), (k,), (k, n))
    sigma = float64(case, s)
    assert normwise_relative(float64(case, u) * sigma @ float64(case, vt), exact) <= limit
    assert max(orthogonality(u), orthogonality(float64(case, vt).T)) <= limit
    assert (np.diff(sigma) <= 0).all()
    assert (sigma >= 0).all()
    assert np.array_equal(float64(case, a), exact)
    for x in (q, r, u, s, vt):
        case.close(x, case.exact(x), 0)  # library and element type


@settings(max_examples=10, deadline=None)
@given(seed=MATRIX["seed"], n=st.sampled_from([1, 2, 7]))
def test_symmetric(case, seed, n):
    g = np.random.default_rng(seed).normal(size=(n, n))
    a = case.array(g @ g.T + n * np.eye(n))
    exact, limit = float64(case, a), tolerance(case, n, n)
    factor = cholesky(a)
    lower = float64(case, factor)
    assert (np.triu(lower, 1) == 0).all()
    assert normwise_relative(lower @ lower.T, exact) <= limit
    values, vectors = eigh(a)
    v = float64(case, vectors)
    assert normwise_relative(v * float64(case, values) @ v.T, exact) <= limit
    assert orthogonality(vectors) <= limit
    assert (np.diff(case.exact(values)) >= 0).all()
    b = draw(case, seed, n, 2)
    for right in (b, b[:, 0]):
        x = solve(a, right)
        assert x.shape == right.shape
        # MLX multiplies by inverted triangles: forward stable, so backward up to the condition number
        assert backward_error(a, x, right) <= limit * np.linalg.cond(exact)


def test_only_the_lower_triangle_is_read(wide):
    a = np.array([[4.0, 99.0], [2.0, 5.0]])
    symmetric = np.array([[4.0, 2.0], [2.0, 5.0]])
    wide.close(cholesky(wide.array(a)), [[2, 0], [1, 2]], 4)
    assert np.allclose(wide.exact(eigh(wide.array(a))[0]).astype(float), np.linalg.eigvalsh(symmetric), rtol=1e-5)


def test_failures_have_one_name(case):
    with pytest.raises(LinAlgError):
        cholesky(case.array([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(LinAlgError):
        cholesky(case.array(np.zeros((2, 2))))
    with pytest.raises(LinAlgError):
        solve(case.array(np.zeros((2, 2))), case.array(np.ones(2)))
    for f in (qr, svd, eigh, cholesky):
        for bad in (np.nan, np.inf):
            with pytest.raises(LinAlgError, match="NaN or an infinity"):
                f(case.array([[1.0, bad], [bad, 1.0]]))


def test_mlx_itself_does_not_notice():
    """Why the pivots are looked at: MLX returns this as if it were a factor."""
    mx = pytest.importorskip("mlx.core")
    factor = mx.linalg.cholesky(mx.array([[1.0, 2.0], [2.0, 1.0]]), stream=mx.cpu)
    assert not np.allclose(np.tril(np.array(factor)) @ np.tril(np.array(factor)).T, [[1, 2], [2, 1]])


@pytest.mark.parametrize("f", [qr, svd, cholesky, eigh, lambda a: solve(a, a)])
def test_mlx_is_sent_to_its_cpu_stream(f, monkeypatch):
    mx = pytest.importorskip("mlx.core")
    used, stream = [], mx.stream
    monkeypatch.setattr(mx, "stream", lambda device: used.append(device) or stream(device))
    f(mx.eye(2))
    assert used == [mx.cpu]


def test_what_is_refused(library):
    x = from_numpy(np.ones((2, 3), "float32"), library)
    for f in (cholesky, eigh):
        with pytest.raises(ValueError, match="non-empty square matrix"):
            f(x)
    for f in (qr, svd):
        for wrong in (x[0], x[:0]):
            with pytest.raises(ValueError, match="one non-empty matrix"):
                f(wrong)
    with pytest.raises(ValueError, match="right side of shape"):
        solve(x[:, :2], x[0])
    with pytest.raises(TypeError, match="floating-point"):
        qr(from_numpy(np.ones((2, 2), int), library))
