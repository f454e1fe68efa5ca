"""Element types by name, and how far each one rounds."""

from __future__ import annotations

from typing import Protocol


class HasDtype(Protocol):
    """Anything with a dtype: a NumPy or an MLX array."""

    @property
    def dtype(self) -> object: ...


# name          u = 2**-t  where t counts the significand's bits, the hidden one included (IEEE 754-2019, table 3.5;
#               bfloat16: Intel, "BFLOAT16 Hardware Numerics Definition", 2018)
UNIT_ROUNDOFF = {
    "float64": 2.0**-53,
    "float32": 2.0**-24,
    "float16": 2.0**-11,
    "bfloat16": 2.0**-8,
    "complex128": 2.0**-53,
    "complex64": 2.0**-24,
}


def dtype_name(x: HasDtype | object) -> str:
    """The name of a dtype, or of an array's dtype: ``"float32"`` for ``numpy.float32`` and ``mlx.core.float32`` alike."""
    dtype = getattr(x, "dtype", x)
    return str(getattr(dtype, "name", dtype)).rpartition(".")[2]


def unit_roundoff(x: HasDtype | object) -> float:
    """u, the largest relative error of rounding to nearest, for a dtype, its name or an array of it.

    Raises ValueError for a type that does not round (integers).
    Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 2.1.
    """
    name = dtype_name(x)
    if name not in UNIT_ROUNDOFF:
        raise ValueError(f"{name} is not a floating-point type; these are: {', '.join(UNIT_ROUNDOFF)}")
    return UNIT_ROUNDOFF[name]


def gamma(k: float, x: HasDtype | object) -> float:
    """$\\gamma_k = ku/(1 - ku)$: the bound on the relative error of k roundings in a row; infinite where $ku \\ge 1$.

    Source: Higham (2002), lemma 3.1.
    """
    ku = k * unit_roundoff(x)
    return ku / (1 - ku) if ku < 1 else float("inf")
