"""The integrands, as a reader would write them, and their integrals in closed form.

Every method here, from plain Python to compiled code and the library, integrates these very functions f(x, p): x is a
number or an array, p holds two parameters.  The first sets are Genz's families, and those made hard in one way each.
Source: A. Genz, Testing multidimensional integration routines, in: Tools, Methods and Languages for Scientific and
Engineering Computation (1984), 81-94.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Integrand(NamedTuple):
    """The integral of f(x, p) over x from a to b."""

    f: Callable
    p: tuple[float, float]
    a: float = 0.0
    b: float = 1.0


def wave(x, p):
    return np.cos(p[0] * x + p[1])


def hill(x, p):
    return 1 / (1 + (p[0] * (x - p[1])) ** 2)


def corner(x, p):
    return 1 / (1 + p[0] * x) ** 2


def bell(x, p):
    return np.exp(-((p[0] * (x - p[1])) ** 2))


def power(x, p):
    return np.power(x, p[0])


def power_log(x, p):
    return np.power(x, p[0]) * np.log(x)


def decay_over_root(x, p):
    return np.exp(-p[0] * x) / np.sqrt(x)


def log_squared(x, p):
    return p[0] * np.log(x) ** 2


def damped_wave(x, p):
    return np.exp(-p[1] * x) * np.cos(p[0] * x)


def chirp(x, p):
    return np.cos(p[0] * x * x)


def bessel(x, p):
    return np.cos(p[0] * np.sin(np.pi * x))


def lorentz(x, p):
    return p[0] / (p[0] ** 2 + (x - p[1]) ** 2)


def soliton(x, p):
    return 1 / np.cosh((x - p[1]) / p[0]) ** 2 / p[0]


def hat(x, p):
    return abs(x - p[1])


def cusp(x, p):
    return np.sqrt(abs(x - p[1]))


def cooling(x, p):
    return np.exp(-p[0] * abs(x - p[1]))


def step(x, p):
    return 1.0 * (x > p[1])


def fresnel_cosine(x):
    """$\\int_0^x \\cos(\\pi t^2 / 2) dt$."""
    from scipy.special import fresnel

    return fresnel(x)[1]


def bessel_j0(x):
    """The Bessel function of the first kind, order 0: Bessel's integral (DLMF 10.9.1)."""
    from scipy.special import j0

    return j0(x)


# f from 0 to 1   its integral
INTEGRALS = {
    wave: lambda c, u: 2 * math.sin(c / 2) * math.cos(c / 2 + u) / c,
    hill: lambda c, u: (math.atan(c * u) + math.atan(c * (1 - u))) / c,
    corner: lambda c, u: 1 / (1 + c),
    bell: lambda c, u: math.sqrt(math.pi) / (2 * c) * (math.erf(c * u) + math.erf(c * (1 - u))),
    power: lambda a, u: 1 / (a + 1),
    power_log: lambda a, u: -1 / (a + 1) ** 2,
    decay_over_root: lambda c, u: math.sqrt(math.pi / c) * math.erf(math.sqrt(c)),
    log_squared: lambda c, u: 2 * c,
    damped_wave: lambda c, u: (u - math.exp(-u) * (u * math.cos(c) - c * math.sin(c))) / (u * u + c * c),
    chirp: lambda c, u: math.sqrt(math.pi / (2 * c)) * fresnel_cosine(math.sqrt(2 * c / math.pi)),
    bessel: lambda c, u: bessel_j0(c),
    lorentz: lambda c, u: math.atan(u / c) + math.atan((1 - u) / c),
    soliton: lambda c, u: math.tanh(u / c) + math.tanh((1 - u) / c),
    hat: lambda c, u: (u**2 + (1 - u) ** 2) / 2,
    cusp: lambda c, u: 2 / 3 * (u**1.5 + (1 - u) ** 1.5),
    cooling: lambda c, u: -(math.expm1(-c * u) + math.expm1(-c * (1 - u))) / c,
    step: lambda c, u: 1 - u,
}

ELEMENTARY = 20  # flops of exp, log, cos, a power: a polynomial of degree 10 is the least that is exact to a double
# f              flops of one evaluation
FLOPS = {
    wave: 2 + ELEMENTARY,
    hill: 5,
    corner: 4,
    bell: 3 + ELEMENTARY,
    power: ELEMENTARY,
    power_log: 1 + 2 * ELEMENTARY,
    decay_over_root: 3 + ELEMENTARY,
    log_squared: 2 + ELEMENTARY,
    damped_wave: 3 + 2 * ELEMENTARY,
    chirp: 2 + ELEMENTARY,
    bessel: 2 + 2 * ELEMENTARY,
    lorentz: 5,
    soliton: 5 + ELEMENTARY,
    hat: 1,
    cusp: 2,
    cooling: 2 + ELEMENTARY,
    step: 1,
}
