"""From NumPy to MLX and back, and from one element type to another: every value is rounded at most once.

Traps of the libraries that are closed here:

- ``mx.array`` of a float64 array is float32, without a word; a GPU has no float64 at all.
- ``np.asarray`` of an MLX array is a *writable* view: writing changes the MLX array behind MLX's back.
- ``np.asarray`` refuses bfloat16: its bits travel as uint16, and ``ml_dtypes`` gives them their meaning.
- float64 to bfloat16 (ml_dtypes, MLX) and to float16 (MLX) go through float32 and so round twice.
"""

from __future__ import annotations

import importlib
from typing import Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from exp_core.tensor.dtypes import FORMATS, accumulator, dtype_name
from exp_core.tensor.namespaces import A, Array, Work, is_mlx, mlx, namespace

Arrays = Literal["numpy", "mlx"]
Numpy: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[np.generic[object]]]"


def numpy_dtype(dtype: object) -> np.dtype[np.generic[object]]:
    """NumPy's dtype of that name.

    Raises ModuleNotFoundError for bfloat16 without ml_dtypes, and TypeError for a name that NumPy does not know.
    """
    name = dtype_name(dtype)
    if name == "bfloat16":
        try:
            importlib.import_module("ml_dtypes")  # registers the name
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError("bfloat16 in NumPy arrays needs ml_dtypes: pip install ml-dtypes") from error
    return np.dtype(name)


def mlx_dtype(dtype: object) -> object:
    """MLX's dtype of that name.  Raises TypeError if it has none (complex128, say)."""
    name = dtype_name(dtype)
    found: object = getattr(mlx(), "bool_" if name == "bool" else name, None)
    if type(found).__name__ != "Dtype":
        raise TypeError(f"MLX has no dtype {name}")
    return found


def to_numpy(x: Array, dtype: object = None) -> Numpy:
    """x as a NumPy array of any shape, with the same values, rounded once if another dtype is asked for.

    Copies   a NumPy array of that dtype: no, it is returned as it is.  An MLX array: no on the CPU and on Apple's
             unified memory, the result is a read-only view (it forces the computation of x); from a CUDA device it
             may.  Another dtype: yes.
    Raises   TypeError if x is not an array, ModuleNotFoundError for bfloat16 without ml_dtypes.
    """
    namespace(x)
    if not is_mlx(x):
        values = np.asarray(x)
    else:
        mlx().eval(cast("Work", x))  # np.asarray would hide a computation that fails, and return zeros
        if dtype_name(x) != "bfloat16":
            values = np.asarray(x)
        else:
            bits = np.asarray(cast("Work", x).view(mlx_dtype("uint16")))
            if dtype is None or dtype_name(dtype) == "bfloat16":
                values = bits.view(numpy_dtype("bfloat16"))
            else:  # the upper half of a float32: this needs no ml_dtypes
                values = np.asarray(bits.astype(np.uint32) << 16).view(np.float32)
        values.flags.writeable = False
    return values if dtype is None or dtype_name(values) == dtype_name(dtype) else _rounded_once(values, dtype)


def from_numpy(x: npt.ArrayLike, arrays: Arrays, dtype: object = None) -> Array:
    """A NumPy array (or nested lists of numbers) as an array of the named library; rounded once to the dtype, if given.

    Copies   to MLX always.  To NumPy only if the dtype changes.
    Raises   ValueError for float64 where MLX's default device is a GPU, TypeError for a dtype that MLX does not have,
             ModuleNotFoundError without MLX (or without ml_dtypes, for bfloat16 in NumPy).
    """
    values = np.asarray(x)
    name = dtype_name(values if dtype is None else dtype)
    if arrays == "numpy":
        return values if name == dtype_name(values) else _rounded_once(values, name)
    mx = mlx()
    target = mlx_dtype(name)
    if name == "float64" and "cpu" not in str(mx.default_device()):
        raise ValueError('MLX has no float64 on a GPU; pass dtype="float32", or call mx.set_default_device(mx.cpu)')
    if name == "bfloat16":
        bits = values.view(np.uint16) if dtype_name(values) == "bfloat16" else _bfloat16_bits(values)
        return mx.array(np.ascontiguousarray(bits).reshape(bits.shape)).view(target)
    rounded = values if name == dtype_name(values) else _rounded_once(values, name)
    return mx.array(rounded, dtype=target)


def astype(x: Array, dtype: object) -> Array:
    """x in another dtype (NumPy's, MLX's or a name), in its own library; every value is rounded once.

    Copies   unless x has that dtype already.  MLX's float64 to a half goes through the host's memory.
    Raises   as ``from_numpy``.
    """
    if dtype_name(x) == dtype_name(dtype):
        return x
    if is_mlx(x) and dtype_name(x) != "float64":
        return cast("Work", x).astype(mlx_dtype(dtype))
    return from_numpy(to_numpy(x), "mlx" if is_mlx(x) else "numpy", dtype)


def widened(x: Array, *others: Array | None) -> Work:
    """x in the type in which to compute with it and with others, their widest accumulator: ``float32`` or ``float64``.

    Raises TypeError if one of them does not hold real floating-point numbers.
    """
    given = [y for y in (x, *others) if y is not None]
    namespace(*given)
    for y in given:
        if dtype_name(y) not in FORMATS:
            raise TypeError(f"need an array of floating-point numbers ({', '.join(FORMATS)}), not of {dtype_name(y)}")
    names = {accumulator(y) for y in given}
    return in_dtype(x, "float64" if "float64" in names else "float32")


def rounded(x: Work, like: A) -> A:
    """x rounded to the dtype of ``like``: the last step of what ``widened`` began."""
    return cast("A", in_dtype(x, dtype_name(like)))


def in_dtype(x: Array, name: str) -> Work:
    """x in the dtype of that name; differentiable in MLX."""
    if dtype_name(x) == name:
        return cast("Work", x)
    return cast("Work", x).astype(mlx_dtype(name) if is_mlx(x) else numpy_dtype(name))


def _rounded_once(values: Numpy, dtype: object) -> Numpy:
    """NumPy's cast, except for bfloat16."""
    if dtype_name(dtype) == "bfloat16":
        return _bfloat16_bits(values).view(numpy_dtype("bfloat16"))
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(numpy_dtype(dtype))


def _bfloat16_bits(values: Numpy) -> npt.NDArray[np.uint16]:
    """The bits of the bfloat16 nearest to each value, ties to even.

    Through float32, but rounded *to odd* there: what is inexact gets an odd last bit, so that the second rounding sees
    on which side of a tie it lies.  Source: Boldo, Melquiond, IEEE Trans. Computers 57 (2008), 462-471, theorem 3.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        exact = np.array(values, np.float64).reshape(-1)
        single = exact.astype(np.float32)
    bits = single.view(np.uint32)
    bits = bits - (np.abs(single) > np.abs(exact)).astype(np.uint32)  # towards zero
    bits = bits | (single != exact).astype(np.uint32)  # to odd
    last = (bits >> np.uint32(16)) & np.uint32(1)  # of the bits that stay: ties go to even
    half: npt.NDArray[np.uint32] = (bits + np.uint32(0x7FFF) + last) >> np.uint32(16)
    half[np.isnan(exact)] = 0x7FC0  # the sum could carry a NaN's bits into the sign
    return half.astype(np.uint16).reshape(values.shape)
