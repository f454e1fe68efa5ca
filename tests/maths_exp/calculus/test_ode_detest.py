"""ode: the DETEST problems, each from 0 to 20, solved to their tolerance.

Source: T. Hull, W. Enright, B. Fellen, A. Sedgwick, Comparing numerical methods for ordinary differential equations,
SIAM J. Numer. Anal. 9 (1972), 603-637: classes A (one equation), B (small systems), C1-C4 (larger), D (orbits) and
E (second order); C5, the outer planets, is left out for its table of constants.  The end values come from closed forms,
from matrix exponentials (B2, C) and from Kepler's equation (D); for B1, B3, E2 and E3 from LSODA's Adams methods at
tolerance 1e-13, which share nothing with Runge and Kutta's.
"""

from __future__ import annotations

import math
from math import cos, exp, sin, sqrt

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.optimize
import scipy.special

from maths_exp.calculus import ode
from maths_exp.calculus._ode_pointers import pointer
from maths_exp.calculus._ode_reference import kepler_orbit
from maths_exp.calculus._ode_systems import kepler

END = 20.0
ECCENTRICITIES = ((1, 0.1), (2, 0.3), (3, 0.5), (4, 0.7), (5, 0.9))


def b4(t, y):
    r = sqrt(y[0] * y[0] + y[1] * y[1])
    return -y[1] - y[0] * y[2] / r, y[0] - y[1] * y[2] / r, y[0] / r


def e1(t, y):
    x = t + 1.0
    return y[1], -(y[1] / x + (1.0 - 0.25 / (x * x)) * y[0])


# name   f(t, y), written for plain Python and for compiled code     y(0)
SMALL = {
    "A1": (lambda t, y: (-y[0],), [1.0]),
    "A2": (lambda t, y: (-0.5 * y[0] * y[0] * y[0],), [1.0]),
    "A3": (lambda t, y: (y[0] * cos(t),), [1.0]),
    "A4": (lambda t, y: (y[0] / 4.0 * (1.0 - y[0] / 20.0),), [1.0]),
    "A5": (lambda t, y: ((y[0] - t) / (y[0] + t),), [4.0]),
    "B1": (lambda t, y: (2.0 * (y[0] - y[0] * y[1]), -(y[1] - y[0] * y[1])), [1.0, 3.0]),
    "B2": (lambda t, y: (-y[0] + y[1], y[0] - 2.0 * y[1] + y[2], y[1] - y[2]), [2.0, 0.0, 1.0]),
    "B3": (lambda t, y: (-y[0], y[0] - y[1] * y[1], y[1] * y[1]), [1.0, 0.0, 0.0]),
    "B4": (b4, [3.0, 0.0, 0.0]),
    "B5": (lambda t, y: (y[1] * y[2], -y[0] * y[2], -0.51 * y[0] * y[1]), [0.0, 1.0, 1.0]),
    "E1": (e1, [0.6713967071418030, 0.09540051444747446]),
    "E2": (lambda t, y: (y[1], (1.0 - y[0] * y[0]) * y[1] - y[0]), [2.0, 0.0]),
    "E3": (lambda t, y: (y[1], y[0] * y[0] * y[0] / 6.0 - y[0] + 2.0 * sin(2.78535 * t)), [0.0, 0.0]),
    "E4": (lambda t, y: (y[1], 0.032 - 0.4 * y[1] * y[1]), [30.0, 0.0]),
    "E5": (lambda t, y: (y[1], sqrt(1.0 + y[1] * y[1]) / (25.0 - t)), [0.0, 0.0]),
    **{f"D{i}": (kepler, [1 - e, 0.0, 0.0, sqrt((1 + e) / (1 - e))]) for i, e in ECCENTRICITIES},
}


def chain(diagonal, below, above):
    return np.diag(diagonal) + np.diag(below, -1) + np.diag(above, 1)


# name   A of y' = A y with y(0) = (1, 0, ..., 0)
LINEAR = {
    "C1": chain([-1.0] * 9 + [0.0], [1.0] * 9, [0.0] * 9),
    "C2": chain([-1.0 * i for i in range(1, 10)] + [0.0], [1.0 * i for i in range(1, 10)], [0.0] * 9),
    "C3": chain([-2.0] * 10, [1.0] * 9, [1.0] * 9),
    "C4": chain([-2.0] * 51, [1.0] * 50, [1.0] * 50),
}


def by_adams(name):
    f, y0 = SMALL[name]
    return scipy.integrate.odeint(f, y0, [0.0, END], tfirst=True, rtol=1e-13, atol=1e-13, mxstep=10**5)[-1]


def a5():
    """In polar coordinates (homogeneous equation): ln r + arctan(y / t) is constant."""
    constant = math.log(4) + math.pi / 2
    defect = lambda y: math.log(math.hypot(END, y)) + math.atan2(y, END) - constant  # noqa: E731
    return scipy.optimize.brentq(defect, -10, 1, xtol=1e-13)


def b5():
    """Euler's equations of a rigid body: Jacobi's elliptic functions sn, cn, dn with k² = 0.51."""
    return scipy.special.ellipj(END, 0.51)[:3]


def e1_end():
    """Bessel's equation of order 1/2 at t + 1: sqrt(2 / (pi x)) sin x."""
    x = END + 1
    y = sqrt(2 / (math.pi * x)) * sin(x)
    return y, sqrt(2 / (math.pi * x)) * cos(x) - y / (2 * x)


FALL = sqrt(0.032 * 0.4)
EXACT = {
    "A1": lambda: exp(-END),
    "A2": lambda: 1 / sqrt(1 + END),
    "A3": lambda: exp(sin(END)),
    "A4": lambda: 20 / (1 + 19 * exp(-END / 4)),
    "A5": a5,
    "B2": lambda: scipy.linalg.expm(END * np.array([[-1.0, 1, 0], [1, -2, 1], [0, 1, -1]])) @ SMALL["B2"][1],
    "B4": lambda: ((2 + cos(END)) * cos(END), (2 + cos(END)) * sin(END), sin(END)),
    "B5": b5,
    "E1": e1_end,
    "E4": lambda: (30 + math.log(math.cosh(FALL * END)) / 0.4, FALL / 0.4 * math.tanh(FALL * END)),
    "E5": lambda: (
        # y' = sinh(ln(25 / (25 - t))) = (25 / s - s / 25) / 2 with s = 25 - t; its integral from s to 25
        (25 * math.log(25 / (25 - END)) - (25**2 - (25 - END) ** 2) / 50) / 2,
        (25 / (25 - END) - (25 - END) / 25) / 2,
    ),
    **{f"D{i}": lambda e=e: kepler_orbit(np.array([END]), e)[0] for i, e in ECCENTRICITIES},
    **{name: lambda a=a: scipy.linalg.expm(END * a)[:, 0] for name, a in LINEAR.items()},
    **{name: lambda name=name: by_adams(name) for name in ("B1", "B3", "E2", "E3")},
}


CASES = [*((name, ode.dormand_prince) for name in EXACT), *((name, ode.dop853_compiled) for name in SMALL)]


@pytest.mark.parametrize(("name", "solve"), CASES, ids=lambda case: getattr(case, "__name__", case))
def test_detest(name, solve, tolerance=1e-8):
    """n steps, each wrong by at most the tolerance, make n times the tolerance, and more where errors grow.

    The growth that is granted is the number of stages: the error over 1 + |y| stays under evaluations x tolerance.
    """
    if name in LINEAR:
        a = LINEAR[name]
        f, y0 = (lambda t, y: (a @ y).tolist()), [1.0] + [0.0] * (len(a) - 1)
    else:
        f, y0 = SMALL[name]
    form = f, [0.0, END], y0
    if solve is ode.dop853_compiled:
        pytest.importorskip("numba")
        form = pointer(f), np.array([0.0, END]), np.array(y0)
    states, evaluations = solve(*form, tolerance)
    end = np.asarray(EXACT[name](), float)
    assert np.max(abs(states[-1] - end) / (1 + abs(end))) < evaluations * tolerance
    assert evaluations < 3000
