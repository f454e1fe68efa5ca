"""Operations that run on NumPy and MLX arrays alike, error measures, and element types."""

from exp_core.tensor.dtypes import dtype_name, gamma, unit_roundoff

__all__ = ["dtype_name", "gamma", "unit_roundoff"]
