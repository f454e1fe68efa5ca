"""GELU in GPT-2's form: $x\\,s$ with $s = 1/(1 + e^{-2u})$, $u = \\sqrt{2/\\pi}\\,(x + 0.044715 x^3)$.

That is $\\frac x2 (1 + \\tanh u)$, with one exponential.  Its derivative is $s + x s (1 - s)\\,2u'$.
Source: D. Hendrycks, K. Gimpel, Gaussian Error Linear Units, arXiv:1606.08415 (2016), section 2.
"""

from __future__ import annotations

import math

from exp_core.compiled import REORDER, njit
from exp_core.vector import exp

CUBE = 0.044715
TWICE = 2 * math.sqrt(2 / math.pi)


@njit(fastmath=REORDER)
def gelu(x, y):
    """y = GELU(x); both: (n, c)."""
    one, cube, twice = x.dtype.type(1), x.dtype.type(CUBE), x.dtype.type(-TWICE)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            z = x[i, j]
            y[i, j] = z / (one + exp(twice * (z + cube * z * z * z)))


@njit(fastmath=REORDER)
def gelu_backwards(x, y, d):
    """y = GELU(x) once more, since it is not kept, and d = GELU'(x) d; all: (n, c)."""
    one, cube, twice = x.dtype.type(1), x.dtype.type(CUBE), x.dtype.type(TWICE)
    three = x.dtype.type(3 * CUBE)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            z = x[i, j]
            s = one / (one + exp(-twice * (z + cube * z * z * z)))
            zs = z * s
            y[i, j] = zs
            d[i, j] *= s + zs * (one - s) * twice * (one + three * z * z)
