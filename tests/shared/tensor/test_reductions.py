"""Softmax and its relatives: by definition in long double, and by the laws that they obey."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from exp_core.tensor import cross_entropy, dtype_name, from_numpy, log_softmax, logsumexp, softmax

EXP = 8  # u, of exp
ROWS = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 3, 17])), elements=st.floats(-90, 90, width=16)
)


def oracle_logsumexp(x, axis=-1):
    rows = np.moveaxis(x, axis, -1)
    k = rows.argmax(-1)[..., None]
    m, e = np.take_along_axis(rows, k, -1), np.exp(rows - rows.max(-1, keepdims=True))
    np.put_along_axis(e, k, 0, -1)
    return (m + np.log1p(e.sum(-1, keepdims=True)))[..., 0]


def oracle_softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def spread(x):
    """An entry's difference from the largest is rounded: to e to the power of it, a relative error of |x - m| u."""
    return 1 + np.abs(x - x.max(-1, keepdims=True))


@settings(max_examples=20, deadline=None)
@given(rows=ROWS)
def test_softmax(case, rows):
    x = case.array(rows)
    exact, n = case.exact(x), rows.shape[1]
    p = softmax(x)
    # Blanchard, Higham, Higham (2021), theorem 4.2: the exponents' roundings, exp, a sum of n terms, a division
    k = 2 * EXP + n + 1 + 2 * spread(exact).max()
    case.close(p, oracle_softmax(exact), k)
    total = case.exact(p).sum(-1)
    assert (np.abs(total - 1) <= case.bound(2 * EXP + 2 * n + 2) + n * 2.0**-24).all()
    with pytest.raises(AssertionError):
        case.close(case.array(oracle_softmax(exact) * (1 + 4 * case.bound(k))), oracle_softmax(exact), k)


@settings(max_examples=20, deadline=None)
@given(rows=ROWS)
def test_logsumexp_and_log_softmax(case, rows):
    x = case.array(rows)
    exact, n = case.exact(x), rows.shape[1]
    truth = oracle_logsumexp(exact)
    k = EXP + n + 4
    rest = np.log1p(np.exp(exact - exact.max(-1, keepdims=True)).sum(-1) - 1)
    size = np.abs(exact.max(-1)) + 2 * rest + np.abs(truth)
    case.close(logsumexp(x), truth, k, scale=size)
    case.close(logsumexp(x, keepdims=True), truth[:, None], k, scale=size[:, None])
    case.close(log_softmax(x), exact - truth[:, None], k, scale=spread(exact) + 2 * rest[:, None] + n * 2.0**-10)
    with pytest.raises(AssertionError):
        case.close(logsumexp(case.array(exact + 1)), truth, k, scale=size)


@settings(max_examples=15, deadline=None)
@given(rows=ROWS, seed=st.integers(0, 99), shift=st.sampled_from([-64.0, 0.5, 128.0]))
def test_laws(case, rows, seed, shift):
    rows = np.round(rows)  # so that a shift is exact, in every type
    x, moved = case.array(rows), case.array(rows + shift)
    exact = case.exact(x)
    if not np.array_equal(case.exact(moved), exact + shift):
        return
    k = 4 * EXP + 4 * rows.shape[1]
    case.close(softmax(moved), case.exact(softmax(x)), k, scale=case.exact(softmax(x)) * 2)  # invariant
    labels = np.random.default_rng(seed).integers(0, rows.shape[1], len(rows))
    loss = cross_entropy(x, from_numpy(labels, case.arrays))
    expected = -np.take_along_axis(case.exact(log_softmax(x)), labels[:, None], 1)[:, 0]
    case.close(loss, expected, k)
    assert (case.exact(loss) >= 0).all()


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_every_axis(case, axis):
    x = case.array(np.random.default_rng(1).normal(0, 3, (2, 3, 5)))
    exact = case.exact(x)
    case.close(softmax(x, axis), oracle_softmax(exact, axis), 60)
    truth = oracle_logsumexp(exact, axis)
    case.close(logsumexp(x, axis), truth, 60, scale=np.abs(truth) + 10)
    case.close(log_softmax(x, axis), exact - np.expand_dims(truth, axis), 60, scale=20)
    labels = np.zeros(truth.shape, int)
    loss = truth - exact.take(0, axis)
    case.close(cross_entropy(x, from_numpy(labels, case.arrays), axis), loss, 60, scale=20)


BIG = 6e4
NAN, INF = np.nan, np.inf
#        row                  softmax           logsumexp
HARD = [([BIG, BIG, -BIG],    [0.5, 0.5, 0],    BIG),
        ([-BIG, -BIG, -BIG],  [1/3, 1/3, 1/3],  -BIG),
        ([0, -INF, 0],        [0.5, 0, 0.5],    np.log(2)),
        ([-INF, -INF, -INF],  [NAN, NAN, NAN],  -INF),
        ([INF, 0, -INF],      [NAN, NAN, NAN],  INF),
        ([NAN, 0, 1],         [NAN, NAN, NAN],  NAN)]  # fmt: skip


@pytest.mark.parametrize(("row", "p", "total"), HARD)
def test_hard_rows(case, row, p, total):
    x = case.array(row)
    found = case.exact(logsumexp(x))
    assert np.array_equal(found, total, equal_nan=True) or abs(found - total) <= 2 + 4 * case.u * BIG
    case.close(softmax(x), p, 30)
    exact = case.exact(x)
    with np.errstate(all="ignore"):
        m = exact.max()
        # beside +inf everything is impossible, and inf - inf is not a number
        case.close(log_softmax(x), exact - m - np.log1p((exact == m).sum() - np.longdouble(1)), 30)
    if row[0] == BIG:
        with np.errstate(all="ignore"):  # the rejected form
            e = np.exp(np.array(row, case.accumulator))
            wrong = case.array(e / e.sum())
        with pytest.raises(AssertionError):
            case.close(wrong, p, 30)


def test_digits_that_the_usual_form_loses(case):
    """A nearly certain label: the loss is the sum of the others, far below u."""
    x = case.array([[0.0, -14.0, -15.0]])
    truth = np.log1p(np.exp(np.longdouble(-14)) + np.exp(np.longdouble(-15)))
    label = from_numpy(np.array([0]), case.arrays)
    case.close(cross_entropy(x, label), [truth], 2 * EXP + 20)
    wide = np.array([0, -14, -15], case.accumulator)
    if case.dtype in ("float32", "bfloat16"):  # float64 loses as many bits, but has more; in float16 this underflows
        wrong = case.array([np.log(np.exp(wide).sum(dtype=wide.dtype))])
        with pytest.raises(AssertionError):
            case.close(wrong, [truth], 2 * EXP + 20)


def test_small_probabilities_keep_their_logarithm(case):
    x = case.array([0.0, -1000.0])
    case.close(log_softmax(x), [0, -1000], 4)
    assert case.exact(softmax(x))[1] == 0


@pytest.mark.parametrize("function", [softmax, log_softmax, logsumexp])
def test_sizes(case, function):
    for shape in [(1,), (0,), (3, 0), (0, 3), (1, 1), (2, 13)]:
        x = case.array(np.zeros(shape))
        before = case.exact(x).copy()
        y = function(x)
        assert y.shape == (shape[:-1] if function is logsumexp else shape)
        assert dtype_name(y) == case.dtype
        assert np.array_equal(case.exact(x), before)
    if function is logsumexp:
        assert case.exact(logsumexp(case.array(np.zeros((2, 0))))).tolist() == [-np.inf, -np.inf]


def test_ties_share_the_derivative():
    mx = pytest.importorskip("mlx.core")
    x = mx.array([[1.0, 1.0, 1.0, -float("inf"), -90.0]])
    for f in (lambda x: logsumexp(x).sum(), lambda x: cross_entropy(x, mx.array([4])).sum()):
        slope = np.array(mx.grad(f)(x))
        expected = np.array(softmax(x)) - (np.arange(5) == 4) * (f(x).item() > 50)
        assert np.abs(slope - expected).max() < 1e-6


def test_labels_are_checked(library):
    x = from_numpy(np.zeros((2, 3), "float32"), library)
    for wrong in ([0, 3], [-1, 0]):
        with pytest.raises(IndexError, match=r"0 to 2 are allowed"):
            cross_entropy(x, from_numpy(np.array(wrong), library))
    with pytest.raises(ValueError, match="labels must have shape"):
        cross_entropy(x, from_numpy(np.array([0]), library))
    with pytest.raises(ValueError, match="at least one class"):
        cross_entropy(x[:, :0], from_numpy(np.array([0, 0]), library))
    with pytest.raises(TypeError, match="indices must be integers"):
        cross_entropy(x, x[:, 0])
    assert cross_entropy(x[:0], from_numpy(np.zeros(0, int), library)).shape == (0,)


@pytest.mark.parametrize("function", [softmax, log_softmax, logsumexp])
def test_what_is_refused(library, function):
    with pytest.raises(IndexError, match="axis 2 is out of range"):
        function(from_numpy(np.zeros((2, 3), "float32"), library), 2)
    with pytest.raises(TypeError, match="floating-point numbers"):
        function(from_numpy(np.zeros((2, 3), int), library))
