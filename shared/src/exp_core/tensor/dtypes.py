"""Element types by name, what each one can hold, and how far it rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class HasDtype(Protocol):
    """Anything with a dtype: a NumPy or an MLX array."""

    @property
    def dtype(self) -> object: ...


@dataclass(frozen=True, slots=True)
class FloatFormat:
    """A binary format: $\\pm m \\cdot 2^{e - t + 1}$ with integers $0 \\le m < 2^t$, $1 - e_{max} \\le e \\le e_{max}$.

    precision: t, the significand's bits, the hidden one included.
    emax: the largest exponent; the smallest one of a normal number is $e_{min} = 1 - e_{max}$.
    itemsize: bytes of one number.
    """

    precision: int
    emax: int
    itemsize: int

    @property
    def emin(self) -> int:
        """The exponent of the smallest normal number."""
        return 1 - self.emax

    @property
    def unit_roundoff(self) -> float:
        """$u = 2^{-t}$: rounding to nearest changes a normal number by a factor within $1 \\pm u$."""
        return 2.0**-self.precision

    @property
    def largest(self) -> float:
        """$(2 - 2^{1-t}) \\, 2^{e_{max}}$: what rounds beyond it becomes infinite."""
        return (2 - 2.0 ** (1 - self.precision)) * 2.0**self.emax

    @property
    def smallest_normal(self) -> float:
        """$2^{e_{min}}$: smaller numbers lose digits (or are flushed to zero, on most GPUs)."""
        return 2.0**self.emin

    @property
    def smallest_subnormal(self) -> float:
        """$2^{e_{min} - t + 1}$: the distance between neighbours around zero."""
        return 2.0 ** (self.emin - self.precision + 1)


# name                    t   emax  bytes   (IEEE 754-2019, table 3.5; bfloat16: Intel, "BFLOAT16 Hardware Numerics
#                                            Definition", 2018)
FORMATS = {
    "float64": FloatFormat(53, 1023, 8),
    "float32": FloatFormat(24, 127, 4),
    "float16": FloatFormat(11, 15, 2),
    "bfloat16": FloatFormat(8, 127, 2),
}

# A complex number rounds in each part as its parts do (Higham 2002, section 3.6, for what that means for products).
UNIT_ROUNDOFF = {name: format_.unit_roundoff for name, format_ in FORMATS.items()} | {
    "complex128": FORMATS["float64"].unit_roundoff,
    "complex64": FORMATS["float32"].unit_roundoff,
}

# In which type a sum of numbers of a type is carried: integers do not overflow early, halves do not stop growing
# (a sum of ones in bfloat16 never passes 256).  The same on NumPy and MLX, whose own rules differ.
ACCUMULATORS = {
    "float64": "float64",
    "float32": "float32",
    "float16": "float32",
    "bfloat16": "float32",
    **dict.fromkeys(("bool", "int8", "int16", "int32", "int64"), "int64"),
    **dict.fromkeys(("uint8", "uint16", "uint32", "uint64"), "uint64"),
}

PYTHON_TYPES = {float: "float64", int: "int64", bool: "bool", complex: "complex128"}


def dtype_name(x: HasDtype | object) -> str:
    """The name of a dtype, or of an array's: ``"float32"`` for ``numpy.float32`` and ``mlx.core.float32`` alike."""
    if isinstance(x, type):
        return PYTHON_TYPES.get(x, x.__name__)
    dtype = getattr(x, "dtype", x)
    return str(getattr(dtype, "name", dtype)).rpartition(".")[2]


def float_format(x: HasDtype | object) -> FloatFormat:
    """The format of a floating-point dtype, of its name or of an array of it.

    Raises ValueError for other types.  Source: IEEE 754-2019, section 3.
    """
    name = dtype_name(x)
    if name not in FORMATS:
        raise ValueError(f"{name} is not a floating-point type; these are: {', '.join(FORMATS)}")
    return FORMATS[name]


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


def accumulator(x: HasDtype | object) -> str:
    """The name of the type in which numbers of this type are summed: halves in float32, integers in 64 bits.

    Raises TypeError for a type that is not summed here (complex, strings, objects).
    """
    name = dtype_name(x)
    if name not in ACCUMULATORS:
        raise TypeError(f"no accumulator for {name}; there is one for: {', '.join(ACCUMULATORS)}")
    return ACCUMULATORS[name]
