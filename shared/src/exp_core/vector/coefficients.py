"""The constants of these functions in float32, for who writes the same arithmetic in another language."""

from exp_core.vector._exp import EXP32, HIGH32, HIGHEST32, LOG2_E, LOW32, LOWEST32, TANH32
from exp_core.vector._log import LOG32
from exp_core.vector._parts import BIAS, MANTISSA, shift

__all__ = [
    "BIAS",
    "EXP32",
    "HIGH32",
    "HIGHEST32",
    "LOG2_E",
    "LOG32",
    "LOW32",
    "LOWEST32",
    "MANTISSA",
    "TANH32",
    "shift",
]
