"""How wrong a result is: one number, in float64 or wider, whatever the library and element type of the result.

All take NumPy or MLX arrays (or numbers), of equal shapes; complex ones too, but for ``ulp``.  Zero means exact.
A NaN in the result or in the truth gives NaN, an infinity that the truth does not have gives infinity: never zero.
Each raises ValueError if the shapes do not fit.  An array without entries has the error 0.
Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), chapters 1, 2, 6 and 7.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from exp_core.tensor._residual import residual
from exp_core.tensor.convert import Numpy, to_numpy
from exp_core.tensor.dtypes import FORMATS, dtype_name, float_format
from exp_core.tensor.namespaces import Array, is_mlx

Value: TypeAlias = "Array | float | complex"
Real: TypeAlias = "npt.NDArray[np.float64]"


@np.errstate(all="ignore")
def normwise_relative(result: Value, truth: Value) -> float:
    """$\\|\\hat x - x\\|_2 / \\|x\\|_2$ over all entries (a matrix: Frobenius norm); for x = 0, 0 or infinite.

    Infinities of the same sign in the same place are right, and left out.  Higham (2002), section 6.1.
    """
    difference, size = _difference(result, truth)
    return _ratio(_norm(difference), _norm(size))


@np.errstate(all="ignore")
def componentwise(result: Value, truth: Value) -> float:
    """$\\max_i |\\hat x_i - x_i| / |x_i|$, with 0/0 = 0.  Higham (2002), section 1.2."""
    difference, size = _difference(result, truth)
    return _largest(_ratios(difference, size))


@np.errstate(all="ignore")
def ulp(result: Value, truth: Value, dtype: object = None) -> float:
    """$\\max_i |\\hat x_i - x_i| / \\mathrm{ulp}(x_i)$, in units in the last place of the result's dtype or that given.

    $\\mathrm{ulp}(x) = 2^{\\max(e, e_{min}) - t + 1}$ for $2^e \\le |x| < 2^{e+1}$: rounding to nearest is within 1/2,
    outside the normal numbers too.  An infinite result stands for $2^{e_{max} + 1}$ if the truth is beyond the largest
    number, else it is infinitely wrong.
    Raises ValueError for a dtype without ulps.
    Source: J.-M. Muller et al., Handbook of Floating-Point Arithmetic, 2nd ed. (2018), section 2.6, Goldberg's
    definition.
    """
    format_ = float_format(result if dtype is None else dtype)
    x, t = _pair(result, truth)
    if np.iscomplexobj(x) or np.iscomplexobj(t):
        raise ValueError("units in the last place are for real numbers; take real and imaginary parts")
    beyond = 2.0**format_.emax * np.longdouble(2)  # in float64's case only a long double can hold it
    overflowed = np.isinf(x) & np.isfinite(t) & (np.abs(t) > format_.largest) & (np.sign(x) == np.sign(t))
    wide = np.where(overflowed, np.sign(x) * beyond, x.astype(np.longdouble))
    truth_ = t.astype(np.longdouble)
    past = overflowed & (np.abs(truth_) >= beyond)
    difference = np.where((wide == truth_) | past, 0, np.abs(wide - truth_))
    exponent = np.where(truth_ == 0, format_.emin, np.clip(np.frexp(truth_)[1] - 1, format_.emin, format_.emax))
    return _largest(difference / np.ldexp(np.longdouble(1), exponent - format_.precision + 1))


@np.errstate(all="ignore")
def orthogonality(q: Array) -> float:
    """$\\|Q^* Q - I\\|_F$, for the columns of q (m, n): 0 if they are orthonormal.

    Evaluated in float64: it is off by up to $n \\gamma_m$ itself (much less as a rule), which shows only where Q is
    float64. Higham (2002), section 19.3.
    """
    matrix = _wide(q)
    if matrix.ndim != 2:
        raise ValueError(f"the columns of a matrix can be orthonormal, not an array of shape {matrix.shape}")
    return _norm(np.abs(matrix.conj().T @ matrix - np.eye(matrix.shape[1])))


@np.errstate(all="ignore")
def backward_error(a: Array, x: Array, b: Array, kind: Literal["normwise", "componentwise"] = "normwise") -> float:
    """How little A and b must change for x to solve $Ax = b$ exactly; a (m, n), x (n,) or (n, k), b (m,) or (m, k).

    normwise       $\\|b - Ax\\|_2 / (\\|A\\|_F \\|x\\|_2 + \\|b\\|_2)$   Rigal, Gaches 1967; Higham (2002), theorem 7.1
    componentwise  $\\max_i |b - Ax|_i / (|A| |x| + |b|)_i$              Oettli, Prager 1964; theorem 7.3

    The worst of k right sides counts.  The residual is computed as if in twice float64's precision: in float64 alone
    its own rounding would be as large as what is measured.  $\\|A\\|_F$ needs no SVD; with $\\|A\\|_2$ in its place the
    error would be at most $\\sqrt{\\mathrm{rank} A}$ times larger.
    Raises ValueError for another kind, and for complex numbers.
    """
    if kind not in ("normwise", "componentwise"):
        raise ValueError(f'a backward error is "normwise" or "componentwise", not {kind!r}')
    matrix, solution, right = _wide(a), _wide(x), _wide(b)
    expected = matrix.shape[:1] + solution.shape[1:]
    if matrix.ndim != 2 or solution.shape[:1] != matrix.shape[1:] or right.shape != expected:
        raise ValueError(f"shapes {matrix.shape}, {solution.shape} and {right.shape} are not those of Ax = b")
    if any(np.iscomplexobj(y) for y in (matrix, solution, right)):
        raise ValueError("the backward error of complex systems is not measured here")
    solution, right = (y[:, None] if y.ndim == 1 else y for y in (solution, right))
    lost = np.abs(residual(matrix, solution, right))
    if kind == "componentwise":
        return _largest(_ratios(lost, np.abs(matrix) @ np.abs(solution) + np.abs(right)))
    size = _norm(np.abs(matrix))
    columns = range(solution.shape[1])
    errors = [_ratio(_norm(lost[:, j]), size * _norm(solution[:, j]) + _norm(right[:, j])) for j in columns]
    return _largest(np.array(errors))


def _wide(x: Value) -> Real:
    """x in float64, or as wide and as complex as it is."""
    values: Numpy
    if is_mlx(x):
        array = cast("Array", x)
        values = to_numpy(array, "float64" if dtype_name(array) in FORMATS else None)
    else:
        values = np.asarray(x)
        if dtype_name(values) == "bfloat16":  # NumPy does not know that float64 is wider
            values = values.astype(np.float64)
    # A long double or a complex number keeps its type; the name float64 stands for all of these here.
    return cast("Real", values.astype(np.result_type(values.dtype, np.float64)))


def _pair(result: Value, truth: Value) -> tuple[Real, Real]:
    x, t = _wide(result), _wide(truth)
    if x.shape != t.shape:
        raise ValueError(f"a result of shape {x.shape} cannot be compared with a truth of shape {t.shape}")
    return x, t


def _difference(result: Value, truth: Value) -> tuple[Real, Real]:
    """|result - truth| and |truth|, equal infinities left out."""
    x, t = _pair(result, truth)
    difference = np.where(x == t, 0, np.abs(x - t))
    difference = np.where(np.isinf(x) & (x != t), np.where(np.isnan(t), np.nan, np.inf), difference)
    return difference, np.where((x == t) & np.isinf(t), 0, np.abs(t))


def _norm(x: Real) -> float:
    """The 2-norm of all entries; scaled, so that squares neither overflow nor vanish."""
    scale = _largest(np.abs(x))
    if scale == 0 or not np.isfinite(scale):
        return scale
    return scale * float(np.sqrt(np.sum(np.square(np.abs(x) / scale))))


def _largest(x: Real) -> float:
    """The largest entry; NaN if there is one, 0 if there is none."""
    return float(np.max(x)) if x.size else 0.0


def _ratios(x: Real, y: Real) -> Real:
    """x/y with 0/0 = 0; an infinite y, which would make any x look small, gives NaN."""
    return np.where(np.isfinite(y), np.where(x == 0, 0.0, x / y), np.nan)


def _ratio(x: float, y: float) -> float:
    return _largest(_ratios(np.array(x), np.array(y)))
