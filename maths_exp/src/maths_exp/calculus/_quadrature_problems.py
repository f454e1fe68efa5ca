"""The sets of integrands: smooth ones, and those that are hard in one way each."""

from __future__ import annotations

from typing import Annotated

from maths_exp.calculus import _quadrature_integrands as functions
from maths_exp.calculus._quadrature_integrands import Integrand
from maths_exp.calculus._quadrature_kahaner import PUBLISHED

Members = Annotated[int, "integrals"]
Tolerance = Annotated[float, "largest error, relative where the integral is above 1"]


def possible(tolerance):
    """The tolerance.  Raises ValueError for one that means nothing, or less than rounding."""
    if not 1e-13 <= tolerance < 1:
        raise ValueError(f"a tolerance lies from 1e-13, where rounding begins, to 1; {tolerance:g} does not")
    return tolerance


def drawn(members, rng, *families):
    """So many integrands, of the families in turn; each with its range of p[0], uniform in log p[0] if it is a span."""
    chosen = [families[i % len(families)] for i in range(members)]
    return tuple(Integrand(f, (float(first(rng)), float(rng.random()))) for f, first in chosen)


def uniform(low, high):
    """A number between both."""
    return lambda rng: rng.uniform(low, high)


def of_any_size(low, high):
    """A number between both, all orders of magnitude alike."""
    return lambda rng: low * (high / low) ** rng.random()


def smooth(members: Members = 64, tolerance: Tolerance = 1e-8, *, dtype, rng):
    """Genz's smooth families: a wave, a hill, a corner and a bell."""
    families = ((getattr(functions, name), uniform(1, 10)) for name in ("wave", "hill", "corner", "bell"))
    return drawn(members, rng, *families), possible(tolerance)


def singular(members: Members = 64, tolerance: Tolerance = 1e-8, *, dtype, rng):
    """Singular at 0: powers down to $x^{-0.9}$, and logarithms."""
    families = (
        (functions.power, uniform(-0.9, -0.1)),
        (functions.power_log, uniform(-0.7, 0.7)),
        (functions.decay_over_root, uniform(1, 10)),
        (functions.log_squared, uniform(0.5, 2)),
    )
    return drawn(members, rng, *families), possible(tolerance)


def oscillating(members: Members = 64, tolerance: Tolerance = 1e-8, *, dtype, rng):
    """Eight to eighty waves: Fourier's, Fresnel's and Bessel's integrals."""
    families = ((getattr(functions, name), uniform(50, 500)) for name in ("wave", "damped_wave", "chirp", "bessel"))
    return drawn(members, rng, *families), possible(tolerance)


def peaks(members: Members = 64, tolerance: Tolerance = 1e-8, *, dtype, rng):
    """Narrow peaks at unknown places: Lorentz's down to a width of 1e-6, solitons down to 0.02."""
    families = (functions.lorentz, of_any_size(1e-6, 0.1)), (functions.soliton, of_any_size(0.02, 0.1))
    return drawn(members, rng, *families), possible(tolerance)


def kinks(members: Members = 64, tolerance: Tolerance = 1e-8, *, dtype, rng):
    """Slopes that jump, or are infinite, or the value itself jumps, at unknown places."""
    families = ((getattr(functions, name), uniform(1, 10)) for name in ("hat", "cusp", "cooling", "step"))
    return drawn(members, rng, *families), possible(tolerance)


def battery(tolerance: Tolerance = 1e-8, *, dtype, rng):
    """Kahaner's 21 integrals, on which QUADPACK's forerunners were compared."""
    return tuple(PUBLISHED), possible(tolerance)
