"""Operations that run on NumPy and MLX arrays alike, error measures, and element types.

Importing this package imports neither NumPy nor MLX: a name is looked up in its file when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exp_core.tensor.activations import (
        gelu,
        gelu_derivative,
        gelu_tanh,
        gelu_tanh_derivative,
        relu,
        relu_derivative,
        sigmoid,
        sigmoid_derivative,
        silu,
        silu_derivative,
    )
    from exp_core.tensor.attention import rotary_embedding, scaled_dot_product_attention
    from exp_core.tensor.convert import astype, from_numpy, mlx_dtype, numpy_dtype, to_numpy
    from exp_core.tensor.convolution import average_pool2d, conv2d, fold, max_pool2d, unfold
    from exp_core.tensor.distances import squared_distances, squared_distances_expanded
    from exp_core.tensor.dtypes import (
        ACCUMULATORS,
        FORMATS,
        UNIT_ROUNDOFF,
        FloatFormat,
        accumulator,
        dtype_name,
        float_format,
        gamma,
        unit_roundoff,
    )
    from exp_core.tensor.errors import backward_error, componentwise, normwise_relative, orthogonality, ulp
    from exp_core.tensor.linalg import cholesky, eigh, qr, solve, svd
    from exp_core.tensor.matmul import blocked_matmul
    from exp_core.tensor.namespaces import Array, is_mlx, namespace
    from exp_core.tensor.normalisation import layer_norm, rms_norm
    from exp_core.tensor.random import integers, normal, uniform
    from exp_core.tensor.reductions import cross_entropy, log_softmax, logsumexp, softmax
    from exp_core.tensor.selection import one_hot, select, take, take_along_axis, top_k
    from exp_core.tensor.sums import cumulative_sum, segment_sum

# file            names
FILES = {
    "activations":    "gelu gelu_derivative gelu_tanh gelu_tanh_derivative relu relu_derivative sigmoid "
                      "sigmoid_derivative silu silu_derivative",
    "attention":      "rotary_embedding scaled_dot_product_attention",
    "convert":        "astype from_numpy mlx_dtype numpy_dtype to_numpy",
    "convolution":    "average_pool2d conv2d fold max_pool2d unfold",
    "distances":      "squared_distances squared_distances_expanded",
    "dtypes":         "ACCUMULATORS FORMATS UNIT_ROUNDOFF FloatFormat accumulator dtype_name float_format gamma "
                      "unit_roundoff",
    "errors":         "backward_error componentwise normwise_relative orthogonality ulp",
    "linalg":         "cholesky eigh qr solve svd",
    "matmul":         "blocked_matmul",
    "namespaces":     "Array is_mlx namespace",
    "normalisation":  "layer_norm rms_norm",
    "random":         "integers normal uniform",
    "reductions":     "cross_entropy log_softmax logsumexp softmax",
    "selection":      "one_hot select take take_along_axis top_k",
    "sums":           "cumulative_sum segment_sum",
}  # fmt: skip
FILE_OF = {name: file for file, names in FILES.items() for name in names.split()}

__all__ = [
    "ACCUMULATORS",
    "FORMATS",
    "UNIT_ROUNDOFF",
    "Array",
    "FloatFormat",
    "accumulator",
    "astype",
    "average_pool2d",
    "backward_error",
    "blocked_matmul",
    "cholesky",
    "componentwise",
    "conv2d",
    "cross_entropy",
    "cumulative_sum",
    "dtype_name",
    "eigh",
    "float_format",
    "fold",
    "from_numpy",
    "gamma",
    "gelu",
    "gelu_derivative",
    "gelu_tanh",
    "gelu_tanh_derivative",
    "integers",
    "is_mlx",
    "layer_norm",
    "log_softmax",
    "logsumexp",
    "max_pool2d",
    "mlx_dtype",
    "namespace",
    "normal",
    "normwise_relative",
    "numpy_dtype",
    "one_hot",
    "orthogonality",
    "qr",
    "relu",
    "relu_derivative",
    "rms_norm",
    "rotary_embedding",
    "scaled_dot_product_attention",
    "segment_sum",
    "select",
    "sigmoid",
    "sigmoid_derivative",
    "silu",
    "silu_derivative",
    "softmax",
    "solve",
    "squared_distances",
    "squared_distances_expanded",
    "svd",
    "take",
    "take_along_axis",
    "to_numpy",
    "top_k",
    "ulp",
    "unfold",
    "uniform",
    "unit_roundoff",
]


def __getattr__(name: str) -> object:
    """Import the file that a public name lives in, once."""
    if name not in FILE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{FILE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
