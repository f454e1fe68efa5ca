"""Elementary functions for compiled loops, written so that LLVM makes vector instructions of them.

LLVM has no vectors of the C library's functions, and Intel's SVML does not come with PyPI's llvmlite: a loop that calls
`math.exp` does one number at a time.  These are a few lines of arithmetic without a branch, for float32 and float64,
and what they take is what they return:

    from exp_core.vector import exp, log1p

    @njit
    def softplus(x, y):
        for i in range(x.size):
            y[i] = log1p(exp(x[i]))

The largest error, in units in the last place (ULP), with and without fused multiply-add:

    function  float32  float64
    cos          0.51      2.5
    exp           1.0      1.0
    expm1         1.1      1.2
    log           0.9      1.0
    log1p         0.9      1.0
    sigmoid       2.5      2.5
    sin          0.51      2.5
    tanh          1.2      1.3

In float32 that holds for each of the 2^32 numbers, in float64 for all that the tests have tried: millions at random and
all spots known to be hard.  Sine and cosine promise it for |x| up to 6.5 million, and are not a number beyond.  Limits,
signed zeros and what is not a number are as in C.
"""

from exp_core.vector._exp import exp, expm1, sigmoid, tanh
from exp_core.vector._log import log, log1p
from exp_core.vector._sin import cos, sin

__all__ = ["cos", "exp", "expm1", "log", "log1p", "sigmoid", "sin", "tanh"]
