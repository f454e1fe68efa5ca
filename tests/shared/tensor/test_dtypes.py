"""Element types: the tables against NumPy's own and ml_dtypes', and every way to name a type."""

import math

import numpy as np
import pytest

from exp_core.tensor import (
    ACCUMULATORS,
    FORMATS,
    UNIT_ROUNDOFF,
    accumulator,
    dtype_name,
    float_format,
    gamma,
    unit_roundoff,
)


def info(name):
    return pytest.importorskip("ml_dtypes").finfo("bfloat16") if name == "bfloat16" else np.finfo(name)


@pytest.mark.parametrize("name", FORMATS)
def test_formats_are_those_of_the_libraries(name):
    format_, facts = FORMATS[name], info(name)
    assert format_.unit_roundoff == UNIT_ROUNDOFF[name] == float(facts.eps) / 2
    assert format_.largest == float(facts.max)
    assert format_.smallest_normal == float(facts.smallest_normal)
    assert format_.smallest_subnormal == float(facts.smallest_subnormal)
    assert format_.itemsize * 8 == facts.bits


@pytest.mark.parametrize("spelled", [np.float32, np.dtype("float32"), "float32", np.zeros(2, "float32"), np.float32(1)])
def test_one_name_for_every_spelling(spelled):
    assert dtype_name(spelled) == "float32"
    assert unit_roundoff(spelled) == 2.0**-24
    assert float_format(spelled) is FORMATS["float32"]


def test_names_of_other_types():
    assert [dtype_name(t) for t in (float, int, bool, complex)] == ["float64", "int64", "bool", "complex128"]
    assert dtype_name(np.zeros(1, bool)) == "bool"
    ml_dtypes = pytest.importorskip("ml_dtypes")
    assert dtype_name(ml_dtypes.bfloat16) == dtype_name(np.zeros(1, ml_dtypes.bfloat16)) == "bfloat16"


def test_names_of_mlx_types():
    mx = pytest.importorskip("mlx.core")
    for name in ("float32", "float16", "bfloat16", "int32", "uint8", "complex64"):
        assert dtype_name(getattr(mx, name)) == dtype_name(mx.zeros(1, dtype=getattr(mx, name))) == name
    assert dtype_name(mx.bool_) == "bool"


def test_integers_do_not_round():
    for function in (unit_roundoff, float_format):
        with pytest.raises(ValueError, match="int32 is not a floating-point type"):
            function("int32")


def test_gamma_bounds_a_product_of_roundings():
    for k in (0, 1, 10, 1000):
        factor = math.expm1(k * math.log1p(unit_roundoff("float32")))  # (1 + u)**k - 1
        assert factor <= gamma(k, "float32") <= 1.001 * k * unit_roundoff("float32")
    assert gamma(256, "bfloat16") == math.inf


def test_accumulators_hold_what_they_sum():
    for name, wide in ACCUMULATORS.items():
        if name in FORMATS:
            assert FORMATS[wide].precision >= FORMATS[name].precision
            assert accumulator(wide) == wide
        else:
            assert np.can_cast(name, wide)
    with pytest.raises(TypeError, match="no accumulator for complex64"):
        accumulator("complex64")
