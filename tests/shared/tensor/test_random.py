"""Random arrays: the same numbers in every library and element type, but for one rounding."""

import numpy as np
import pytest

from exp_core.tensor import dtype_name, integers, normal, to_numpy, uniform

SHAPES = [(), (0,), (1,), (7, 11)]


def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_numbers_rounded_once(case, shape):
    for draw, own in (
        (lambda: normal(rng(), shape, case.dtype, case.arrays, mean=1, deviation=2), rng().normal(1, 2, shape)),
        (lambda: uniform(rng(), shape, case.dtype, case.arrays, low=-1), rng().uniform(-1, 1, shape)),
    ):
        x = draw()
        assert dtype_name(x) == case.dtype
        assert x.shape == shape
        assert (abs(case.exact(x) - own) <= case.u * abs(own)).all()
        assert np.array_equal(case.exact(x), case.exact(draw()))


def test_integers_in_every_type(case):
    x = integers(rng(), (7, 11), case.dtype, case.arrays, low=-3, high=200)
    assert dtype_name(x) == case.dtype
    assert np.array_equal(case.exact(x), rng().integers(-3, 200, (7, 11)))
    y = integers(rng(), 50, "uint8", case.arrays, high=256)
    assert dtype_name(y) == "uint8"
    assert np.array_equal(to_numpy(y), rng().integers(0, 256, 50))


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("int8", 0, 129), ("uint8", -1, 5), ("bfloat16", 0, 258), ("float16", -2049, 0)]
)
def test_integers_that_a_type_cannot_hold(dtype, low, high):
    with pytest.raises(ValueError, match=f"{dtype} cannot hold all integers"):
        integers(rng(), 3, dtype, low=low, high=high)


def test_impossible_distributions_are_refused():
    with pytest.raises(ValueError, match="scale"):
        normal(rng(), 3, deviation=-1)
    with pytest.raises(ValueError, match="low >= high"):
        integers(rng(), 3, low=2, high=2)
