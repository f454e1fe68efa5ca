"""Rotary positions against exact angles, and their laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exp_core.tensor import from_numpy, rotary_embedding


def rotated(x, offset, base, traditional):
    """Pair by pair as multiplication of complex numbers."""
    d = x.shape[-1]
    order = np.arange(d).reshape(-1, 2) if traditional else np.arange(d).reshape(2, -1).T
    out = x.copy()
    for position in range(x.shape[-2]):
        for i, (a, b) in enumerate(order):
            angle = (position + offset) * np.longdouble(base) ** (np.longdouble(-2 * i) / d)
            z = (x[..., position, a] + 1j * x[..., position, b]) * np.exp(1j * angle)
            out[..., position, a], out[..., position, b] = z.real, z.imag
    return out


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from([(1, 2), (5, 4), (2, 3, 6), (0, 4), (3, 0)]),
    offset=st.sampled_from([0, 7, 10**6]),
    traditional=st.booleans(),
)
def test_rotary(case, seed, shape, offset, traditional):
    x = case.array(np.random.default_rng(seed).normal(size=shape))
    exact = case.exact(x)
    y = rotary_embedding(x, offset=offset, traditional=traditional)
    pairs = np.abs(exact).max(initial=0) * 2
    # two products, a sum, a rounded cosine; and the angle, rounded in float64 thrice
    angle = 4 * (offset + shape[-2]) * 2.0**-53 / (2.0**-24 if case.accumulator == "float32" else 2.0**-53)
    case.close(y, rotated(exact, offset, 10000.0, traditional), 5 + angle, scale=pairs)
    length = np.sqrt((exact**2).sum(-1))
    found = np.sqrt((case.exact(y) ** 2).sum(-1))
    assert (np.abs(found - length) <= case.bound(8) * (length + 1e-30) * 2 + 2.0**-20 * (case.dtype == "float16")).all()
    assert np.array_equal(case.exact(x), exact)


def test_products_depend_on_the_distance_alone(wide):
    rng = np.random.default_rng(8)
    q, k = wide.array(rng.normal(size=(1, 8))), wide.array(rng.normal(size=(1, 8)))
    for traditional in (False, True):
        product = [
            (
                wide.exact(rotary_embedding(q, offset=p + 3, traditional=traditional))
                * wide.exact(rotary_embedding(k, offset=p, traditional=traditional))
            ).sum()
            for p in (0, 11, 1000)
        ]
        slack = 16 * 8 * (wide.u + 1000 * 2.0**-53)
        assert abs(product[0] - product[1]) < slack
        assert abs(product[0] - product[2]) < slack
    assert np.array_equal(wide.exact(rotary_embedding(q)), wide.exact(q))  # position 0 stays


def test_angles_in_float32_would_fail():
    x = np.ones((1, 8), "float32")
    angles = np.float32(10**6 + 1) * np.float32(10000) ** (-np.arange(0, 8, 2, dtype="float32") / 8)
    truth = rotated(x.astype(np.longdouble), 10**6 + 1, 10000.0, traditional=True)
    assert np.abs(rotary_embedding(x, offset=10**6 + 1, traditional=True) - truth).max() < 1e-6
    assert np.abs((np.cos(angles) - np.sin(angles)) - truth[0, ::2]).max() > 1e-4


@pytest.mark.parametrize("shape", [(3, 5), (4,)])
def test_rotary_refuses(library, shape):
    with pytest.raises(ValueError, match="even d"):
        rotary_embedding(from_numpy(np.ones(shape, "float32"), library))


def test_as_mlx_does_it():
    mx = pytest.importorskip("mlx.core")
    rng = np.random.default_rng(4)
    x = mx.array(rng.normal(size=(2, 3, 9, 8)).astype("float32"))
    for traditional in (False, True):
        theirs = mx.fast.rope(x, 8, traditional=traditional, base=10000.0, scale=1.0, offset=5)
        assert mx.allclose(rotary_embedding(x, offset=5, traditional=traditional), theirs, atol=1e-4).item()
