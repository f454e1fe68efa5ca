"""Systems with too many equations: random ones, a polynomial fit, and NIST's, whose answers are certified.

Every problem gives A (m, n) and b (m,) as rounded to the dtype, and A_low, b_low, what the rounding took; zeros where
the data are what they are.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from maths_exp.linear_algebra import _least_squares_nist as nist

Rows = Annotated[int, "equations m"]


def with_low_parts(A, b, dtype):
    """The inputs: rounded to the dtype, the rounded numbers being the problem."""
    if A.shape[0] < A.shape[1]:
        raise ValueError(f"{A.shape[0]} equations do not settle {A.shape[1]} unknowns: choose --rows {A.shape[1]}")
    A, b = A.astype(dtype), b.astype(dtype)
    return A, b, np.zeros_like(A), np.zeros_like(b)


def gaussian(
    rows: Rows = 4000,
    cols: Annotated[int, "unknowns n"] = 20,
    noise: Annotated[float, "length of the residual, roughly, over that of A x"] = 0.1,
    *,
    dtype,
    rng,
):
    """Normal random numbers, a random x, and noise on b: as well-conditioned as can be."""
    A = rng.standard_normal((rows, cols))
    b = A @ rng.standard_normal(cols)
    return with_low_parts(A, b + noise * np.linalg.norm(b) / rows**0.5 * rng.standard_normal(rows), dtype)


def polynomial(
    rows: Rows = 1000,
    degree: Annotated[int, "of the polynomial"] = 9,
    noise: Annotated[float, "of the samples"] = 0.1,
    *,
    dtype,
    rng,
):
    r"""Powers of points in [0, 1]: columns ever more alike, $\kappa$ grows by a digit or more a degree."""
    x = np.linspace(0, 1, rows)
    degree = degree if np.dtype(dtype) == np.float64 else min(degree, 4)  # with more, float32 has no digit of x
    return with_low_parts(np.vander(x, degree + 1, increasing=True), np.cos(3 * x) + noise * rng.random(rows), dtype)


def longley(*, dtype, rng):
    """Employment 1947-1962 by six predictors that all grow with time (Longley 1967): the classic collinear data."""
    return decimals("longley")


def filip(*, dtype, rng):
    """A polynomial of degree 10 through 82 points at x from -8.8 to -3.1: powers from 1 to 1e9, nearly dependent."""
    return decimals("filip")


def wampler1(*, dtype, rng):
    r"""$1 + x + \dots + x^5$ at $x = 0, \dots, 20$, with no residual: every coefficient is 1."""
    return decimals("wampler1")


def wampler2(*, dtype, rng):
    """The same with coefficients 1, 0.1, ..., 0.00001: no residual."""
    return decimals("wampler2")


def wampler3(*, dtype, rng):
    """wampler1 and a residual as large as the signal, orthogonal to all columns: every coefficient is still 1."""
    return decimals("wampler3")


def wampler4(*, dtype, rng):
    """The residual is 100 times larger: now $\\kappa^2 \\|r\\|$ counts."""
    return decimals("wampler4")


def wampler5(*, dtype, rng):
    """The residual is 10,000 times larger: most digits of b are about what has to vanish."""
    return decimals("wampler5")


def norris(*, dtype, rng):
    """Calibration of ozone monitors: a straight line."""
    return decimals("norris")


def pontius(*, dtype, rng):
    """Calibration of load cells: a parabola of loads up to 3,000,000 pounds."""
    return decimals("pontius")


def noint1(*, dtype, rng):
    """A line through the origin where one with an intercept fits exactly."""
    return decimals("noint1")


def noint2(*, dtype, rng):
    """A line through the origin and three points."""
    return decimals("noint2")


def decimals(name):
    """NIST's decimals, each as the sum of two numbers: rounded to one, some have lost the digits that matter."""
    A, b = nist.exact(name)
    (A, A_low), (b, b_low) = nist.in_two(A), nist.in_two(b)
    return A, b, A_low, b_low


CERTIFIED = (
    (longley, "hard"),
    (filip, "hard"),
    (wampler1, "hard"),
    (wampler2, "hard"),
    (wampler3, "hard"),
    (wampler4, "hard"),
    (wampler5, "hard"),
    (norris, "real"),
    (pontius, "real"),
    (noint1, "real"),
    (noint2, "real"),
)
