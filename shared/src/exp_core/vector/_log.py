"""The logarithm: $x = 2^k m$ with $m$ from $\\sqrt{1/2}$ to $\\sqrt2$ gives $\\ln x = k \\ln 2 + \\ln m$.

With $f = m - 1$ and $s = f/(2 + f)$, $\\ln(1 + f) = 2\\,\\mathrm{artanh}\\,s = f - (f^2/2 - s(f^2/2 + R))$, where
$R = s^2 (\\frac23 + \\frac25 s^2 + \\cdots)$: nothing of the size of the result is rounded but once.
Source: K. C. Ng, e_log.c and s_log1p.c in FDLIBM (Sun Microsystems, 1993), the comments at the head of both.
"""

from __future__ import annotations

import math

from exp_core.vector._exp import HIGH32, HIGH64, LOW32, LOW64
from exp_core.vector._parts import elementwise, horner, like, pick, select, split

NORMAL32, NORMAL64 = 2.0**-126, 2.0**-1022  # the smallest normal number
RAISE32, RAISE64 = 2.0**23, 2.0**52  # makes normal what is below it
LIFTED32, LIFTED64 = 23.0, 52.0

# (2 artanh s - 2 s) / s^3 as a function of s^2 for m in that range, to 2^-22 and 2^-51;
# it counts s^2 / 2 < 2^-6 of that.
LOG32 = (0.6666668653488159, 0.39988717436790466, 0.2958204746246338)
LOG64 = (0.666666666666667, 0.39999999999898506, 0.2857142862637127, 0.22222211077397896, 0.18182892887251093,
         0.1533160796381572, 0.14617736819453644)  # fmt: skip


@elementwise
def assembled(f: float, k: float, lost: float) -> float:
    """$k \\ln 2 + \\ln(1 + f)$, and a little that was lost before."""
    s = f / (like(f, 2) + f)
    z, half = s * s, like(f, 0.5) * f * f
    low = s * (half + z * horner(z, LOG32, LOG64)) + (k * pick(f, LOW32, LOW64) + lost)
    return k * pick(f, HIGH32, HIGH64) - ((half - low) - f)


@elementwise
def log(x: float) -> float:
    """$\\ln x$; minus infinity of 0, not a number of what is below.

    Within 0.9 ULP in float32, 1.0 in float64.
    """
    subnormal = x < pick(x, NORMAL32, NORMAL64)
    m, k = split(select(subnormal, x * pick(x, RAISE32, RAISE64), x))
    k = select(subnormal, k - pick(x, LIFTED32, LIFTED64), k)
    return with_limits(assembled(m - like(x, 1), k, like(x, 0)), x, x)


@elementwise
def log1p(x: float) -> float:
    """$\\ln(1 + x)$; what the sum 1 + x rounds off comes back as a correction to first order.

    Within 0.9 ULP in float32, 1.0 in float64.
    """
    one = like(x, 1)
    u = one + x
    m, k = split(u)
    lost = select(x > one, one - (u - x), x - (u - one)) / u
    near = k == like(x, 0)  # 1 + x is never formed
    result = assembled(select(near, x, m - one), k, select(near, like(x, 0), lost))
    return select(x == like(x, 0), x, with_limits(result, u, x))  # -0.0 stays -0.0


@elementwise
def with_limits(result: float, u: float, x: float) -> float:
    """The result for $0 < u < \\infty$, and what the logarithm of u is elsewhere."""
    below = select(u == like(x, 0), like(x, -math.inf), like(x, math.nan))
    return select(u > like(x, 0), select(u < like(x, math.inf), result, like(x, math.inf)), below)
