"""Attention by the definition, one query at a time, and its laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exp_core.tensor import from_numpy, scaled_dot_product_attention

EXP = 8  # u
attention = scaled_dot_product_attention


def oracle(q, k, v, bias, scale):
    """One query of one head after the other; a query whose keys are all forbidden gets zeros."""
    heads, groups = q.shape[-3], k.shape[-3]
    out = np.zeros((*q.shape[:-1], v.shape[-1]), np.longdouble)
    for index in np.ndindex(*q.shape[:-1]):
        *batch, head, _ = index
        key = (*batch, head * groups // heads)
        scores = k[key] @ q[index] * scale + bias[index]
        if (scores > -np.inf).any():
            p = np.exp(scores - scores.max())
            out[index] = p @ v[key] / p.sum()
    return out


def allowed_error(q, k, v, scale):
    """Roundings of a score move its weight by that factor: k in units of u, and the size of what is averaged."""
    s = np.abs(q).max(initial=0) * np.abs(k).max(initial=0) * q.shape[-1] * abs(scale)
    return int(2 * (q.shape[-1] + 3) * (1 + s) + 2 * EXP + 2 * k.shape[-2] + 4), np.abs(v).max(initial=0)


def draw(case, rng, *shape):
    return case.array(rng.normal(size=shape))


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    heads=st.sampled_from([(1, 1), (2, 2), (4, 2), (6, 2), (3, 1)]),
    lengths=st.sampled_from([(1, 1), (3, 5), (5, 3), (1, 7), (4, 0), (0, 4)]),
    widths=st.sampled_from([(1, 1), (4, 4), (5, 3)]),
    causal=st.booleans(),
    masked=st.sampled_from(["no", "boolean", "float"]),
)
def test_by_definition(case, seed, heads, lengths, widths, causal, masked):
    rng = np.random.default_rng(seed)
    (h, g), (n, m), (d, e) = heads, lengths, widths
    q, k, v = draw(case, rng, 2, h, n, d), draw(case, rng, 2, g, m, d), draw(case, rng, 2, g, m, e)
    bias, mask = np.zeros((2, h, n, m)), None
    if masked == "boolean":
        seen = rng.random((n, m)) < 0.6
        mask, bias = from_numpy(seen, case.arrays), bias + np.where(seen, 0, -np.inf)
    if masked == "float":
        mask = draw(case, rng, h, n, m)
        bias = bias + case.exact(mask)
    if causal:
        bias = bias + np.where(np.arange(m) <= np.arange(n)[:, None] + m - n, 0, -np.inf)
    exact = [case.exact(x) for x in (q, k, v)]
    terms, size = allowed_error(*exact, 1 / math.sqrt(d))
    truth = oracle(*exact, bias, 1 / np.sqrt(np.longdouble(d)))
    y = attention(q, k, v, mask=mask, causal=causal)
    case.close(y, truth, terms + 10, scale=size)
    assert np.array_equal(case.exact(q), exact[0])
    if truth.size and size > 0.1:
        with pytest.raises(AssertionError):
            case.close(case.array(case.exact(y) + size * 16 * case.bound(terms + 10)), truth, terms + 10, scale=size)


def test_one_key_gives_its_value(case):
    rng = np.random.default_rng(0)
    q, k, v = draw(case, rng, 3, 5, 4), draw(case, rng, 3, 1, 4), draw(case, rng, 3, 1, 2)
    assert np.array_equal(case.exact(attention(q, k, v)), np.broadcast_to(case.exact(v), (3, 5, 2)))


def test_the_order_of_the_keys_does_not_matter(case):
    rng = np.random.default_rng(1)
    q, k, v = (draw(case, rng, 5, 4) for _ in range(3))
    forward, backward = attention(q, k, v), attention(q, k[::-1], v[::-1])
    case.close(backward, case.exact(forward), 200, scale=4)


def test_a_causal_query_ignores_the_future(case):
    rng = np.random.default_rng(2)
    q, k, v = (draw(case, rng, 2, 5, 4) for _ in range(3))
    whole = case.exact(attention(q, k, v, causal=True))
    for n in (1, 3):  # a prefix alone, and the last query alone against all keys, as with a cache
        case.close(attention(q[:, :n], k[:, :n], v[:, :n], causal=True), whole[:, :n], 200, scale=4)
    case.close(attention(q[:, -1:], k, v, causal=True), whole[:, -1:], 200, scale=4)
    with pytest.raises(AssertionError):  # aligned at the upper left, the last query would see the first key alone
        case.close(attention(q[:, -1:], k[:, :1], v[:, :1]), whole[:, -1:], 200, scale=4)


def test_a_query_that_sees_nothing_gets_zeros(case):
    rng = np.random.default_rng(3)
    q, k, v = (draw(case, rng, 2, 3, 4) for _ in range(3))
    mask = from_numpy(np.array([[True, True, True], [False, False, False], [True, False, False]]), case.arrays)
    y = case.exact(attention(q, k, v, mask=mask))
    assert (y[:, 1] == 0).all()
    assert np.array_equal(y[:, 2], case.exact(v)[:, 0])
    nothing = attention(q, k, v, mask=case.array(np.full((3, 3), -np.inf)))
    assert (case.exact(nothing) == 0).all()


def test_huge_scores_do_not_overflow(case):
    q, k, v = case.array([[200.0]]), case.array([[200.0], [-200.0]]), case.array([[1.0], [2.0]])
    assert case.exact(attention(q, k, v, scale=1.0)).tolist() == [[1.0]]
    y = attention(case.array([[np.nan], [1.0]]), case.array([[1.0]]), case.array([[3.0]]))
    assert np.array_equal(case.exact(y), [[np.nan], [3.0]], equal_nan=True)


def test_as_mlx_does_it():
    mx = pytest.importorskip("mlx.core")
    rng = np.random.default_rng(4)
    q, k, v = (mx.array(rng.normal(size=s).astype("float32")) for s in ((1, 4, 3, 8), (1, 2, 7, 8), (1, 2, 7, 8)))
    for causal in (False, True):
        theirs = mx.fast.scaled_dot_product_attention(q, k, v, scale=8**-0.5, mask="causal" if causal else None)
        assert mx.allclose(attention(q, k, v, causal=causal), theirs, atol=1e-5).item()
    assert mx.isfinite(mx.grad(lambda q: attention(q, k, v, causal=True).sum())(q)).all().item()


SHAPES = [
    ((3, 4), (5, 3), (5, 4)),
    ((3, 4), (5, 4), (6, 4)),
    ((3, 2, 4), (2, 5, 4), (2, 5, 4)),
    ((4,), (4,), (4,)),
    ((3, 4), (1, 5, 4), (1, 5, 4)),
]


@pytest.mark.parametrize("shapes", SHAPES)
def test_what_is_refused(library, shapes):
    with pytest.raises(ValueError, match="do not fit"):
        attention(*(from_numpy(np.ones(s, "float32"), library) for s in shapes))
