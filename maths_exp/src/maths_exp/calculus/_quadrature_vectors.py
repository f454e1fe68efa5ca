"""NumPy's names for compiled integrands: what they call becomes vector instructions, many places at a time.

Looked up in place of ``np`` where an integrand is compiled for a whole panel.  What is not here is NumPy's own.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np

from exp_core.vector import cos, exp, expm1, log, sin
from exp_core.vector.own import elementwise, like

__all__ = ["cos", "cosh", "exp", "expm1", "log", "power", "sin"]


def __getattr__(name):
    return getattr(np, name)


@elementwise
def power(x, a):
    """$x^a = e^{a \\ln x}$ of positive x; the relative error is $2 + |a \\ln x|$ units of rounding."""
    return exp(a * log(x))


@elementwise
def cosh(x):
    """$(e^x + e^{-x}) / 2$."""
    e = exp(abs(x))
    return like(x, 0.5) * (e + like(x, 1) / e)
