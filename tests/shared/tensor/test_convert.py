"""Conversions: every bit survives the round trip, and a change of type rounds once."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exp_core.tensor import FORMATS, astype, dtype_name, from_numpy, is_mlx, mlx_dtype, numpy_dtype, to_numpy
from exp_core.tensor.convert import widened

HARD = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    np.inf,
    -np.inf,
    np.nan,
    1e-45,
    1e-40,
    6e-8,
    65504.0,
    65520.0,
    3.4e38,
    1e300,
    5e-324,
    2**-133,
]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"]


def bits(x):
    x = np.ascontiguousarray(to_numpy(x))
    return x.view(f"u{x.dtype.itemsize}")


def nearest(x, format_):
    """The number of the format nearest to the fraction x, ties to even: by definition."""
    if x == 0:
        return 0.0
    e = format_.emin
    while abs(x) >= Fraction(2) ** (e + 1):
        e += 1
    ulp = Fraction(2) ** (e - format_.precision + 1)
    value = round(x / ulp) * ulp  # Python rounds ties to even
    return float(value) if abs(value) <= Fraction(format_.largest) else float("inf") * (1 if x > 0 else -1)


def test_round_trip_keeps_every_value(case):
    x = case.array(HARD)
    back = to_numpy(x)
    assert dtype_name(back) == case.dtype
    again = from_numpy(back, case.arrays)
    assert dtype_name(again) == case.dtype
    assert np.array_equal(bits(x), bits(again))


def test_every_bfloat16(library):
    pytest.importorskip("ml_dtypes")
    patterns = np.arange(2**16, dtype=np.uint16)
    x = from_numpy(patterns.view(numpy_dtype("bfloat16")), library)
    assert np.array_equal(bits(x), patterns)
    wide = to_numpy(x, "float32")
    ordinary = ~np.isnan(wide)
    assert np.array_equal(bits(from_numpy(wide, library, "bfloat16"))[ordinary], patterns[ordinary])
    assert np.isnan(to_numpy(from_numpy(wide[~ordinary], library, "bfloat16"), "float64")).all()


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(allow_nan=False, allow_infinity=False),
    near=st.integers(0, 2**12),
    tail=st.sampled_from([0, 2.0**-40, -(2.0**-40)]),
)
def test_a_change_of_type_rounds_once(case, x, near, tail):
    tie = (1 + (near + 0.5) * 2 * case.u) * (1 + tail)  # exactly, or just beside, the middle of two neighbours
    for value in (x, tie, -tie, x * 2.0**-1000, tie * FORMATS[case.dtype].smallest_normal * 2.0**-3):
        expected = nearest(Fraction(value), FORMATS[case.dtype])
        assert float(case.exact(case.array([value]))[0]) == expected
        if case.arrays == "numpy" or case.dtype != "float64":
            assert float(case.exact(astype(case.array([value], "float64"), case.dtype))[0]) == expected


def test_the_libraries_own_casts_round_twice():
    """Why there is a cast of our own: these fail the law above."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    above_tie = 1 + 2.0**-8 + 2.0**-40
    expected = nearest(Fraction(above_tie), FORMATS["bfloat16"])
    assert float(np.array([above_tie]).astype(ml_dtypes.bfloat16)[0]) != expected
    assert float(from_numpy([above_tie], "numpy", "bfloat16")[0]) == expected


@pytest.mark.parametrize("name", INTEGERS)
def test_integers_and_booleans_keep_their_type(library, name):
    limits = [0, 1] if name == "bool" else [np.iinfo(name).min, 0, np.iinfo(name).max]
    x = np.array(limits, name)
    y = from_numpy(x, library)
    assert dtype_name(y) == name
    assert np.array_equal(to_numpy(y), x)


def test_what_copies():
    x = np.arange(6.0)
    assert to_numpy(x) is x
    assert from_numpy(x, "numpy") is x
    assert astype(x, "float64") is x
    mx = pytest.importorskip("mlx.core")
    y = mx.array([1.0, 2.0])
    view = to_numpy(y)
    assert not view.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 7  # NumPy's own view would let this change the MLX array
    x32 = np.ones(3, "float32")
    z = from_numpy(x32, "mlx")
    x32[0] = 5
    assert z.tolist() == [1, 1, 1]


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (7,), (2, 3, 5)])
def test_shapes_survive(case, shape):
    x = case.array(np.zeros(shape))
    assert x.shape == shape == to_numpy(x).shape == to_numpy(x, "float32").shape


def test_layout_does_not_matter(case):
    x = case.array(np.arange(12).reshape(3, 4))
    transposed = x.T if case.arrays == "mlx" else np.asfortranarray(x)[:, ::-1].T
    values = np.asarray(to_numpy(transposed, "float64"))
    assert np.array_equal(np.asarray(to_numpy(from_numpy(to_numpy(transposed), case.arrays), "float64")), values)
    assert values.shape == (4, 3)


def test_float64_does_not_become_float32_silently(monkeypatch):
    mx = pytest.importorskip("mlx.core")
    with monkeypatch.context() as patch:
        patch.setattr(mx, "default_device", lambda: "Device(cpu, 0)")
        assert dtype_name(from_numpy(np.ones(2), "mlx")) == "float64"
    monkeypatch.setattr(mx, "default_device", lambda: "Device(gpu, 0)")
    with pytest.raises(ValueError, match="no float64 on a GPU"):
        from_numpy(np.ones(2), "mlx")
    assert dtype_name(from_numpy(np.ones(2), "mlx", "float32")) == "float32"


def test_types_that_a_library_does_not_have():
    with pytest.raises(TypeError, match="int7"):
        numpy_dtype("int7")
    pytest.importorskip("mlx.core")
    for name in ("complex128", "int7", "array"):
        with pytest.raises(TypeError, match=f"MLX has no dtype {name}"):
            mlx_dtype(name)
    with pytest.raises(TypeError, match="complex128"):
        from_numpy(np.ones(1, complex), "mlx")
    assert to_numpy(from_numpy(np.array([1 + 2j], "complex64"), "mlx"))[0] == 1 + 2j


def test_what_is_no_array_is_refused():
    with pytest.raises(TypeError, match="need arrays"):
        to_numpy([1.0, 2.0])
    with pytest.raises(TypeError, match="floating-point numbers"):
        widened(np.arange(3))


def test_the_widest_operand_decides(case):
    x, y = case.array([1.0]), case.array([2.0], "float32")
    assert dtype_name(widened(x, y)) == dtype_name(widened(y, x)) == case.accumulator
    assert is_mlx(widened(x)) == (case.arrays == "mlx")
