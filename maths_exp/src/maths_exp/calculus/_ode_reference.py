"""Solutions right to the last digit of float64, by methods that share nothing with those under test.

The planet's orbit is known in closed form.  For the others: Taylor series of order 28, in decimals of 33 digits.  The
series follow from the equation itself: if y = sum of y_k t^k, then f(y) = sum of (k + 1) y_{k+1} t^k, so that the k-th
coefficient of f, which needs y_0 ... y_k alone, gives y_{k+1}.
Source: A. Jorba, M. Zou, A software package for the numerical integration of ODEs by means of high-order Taylor
methods, Experimental Mathematics 14 (2005), 99-117: recurrences in section 2, step in section 3.
"""

from __future__ import annotations

import functools
import math
from decimal import Decimal, localcontext
from operator import mul

import numpy as np

from maths_exp.calculus import _ode_systems as systems

ORDER, DIGITS = 28, 33


def convolve(a, b, k):
    """Coefficient k of the product of two power series."""
    return sum(map(mul, a[: k + 1], b[k::-1]))


def power(u, w, k, exponent):
    """Coefficient k > 0 of w = u**exponent, from those before it: u w' = exponent u' w (Jorba, Zou, proposition 1)."""
    return sum((i * exponent - (k - i)) * u[i] * w[k - i] for i in range(1, k + 1)) / (k * u[0])


def lorenz_series(y0, order):
    """The Taylor coefficients of x, y and z."""
    x, y, z = ([v] for v in y0)
    for k in range(order):
        dx = 10 * (y[k] - x[k])
        dy = 28 * x[k] - convolve(x, z, k) - y[k]
        dz = convolve(x, y, k) - 8 * z[k] / 3
        for series, derivative in ((x, dx), (y, dy), (z, dz)):
            series.append(derivative / (k + 1))
    return [x, y, z]


def three_bodies_series(y0, order):
    """The Taylor coefficients of the positions and velocities of masses 3, 4 and 5."""
    y = [[v] for v in y0]
    masses, half = (3, 4, 5), Decimal("-1.5")
    pairs = [(i, j, [], [], [], []) for i, j in ((0, 1), (1, 2), (2, 0))]  # dx, dy, r², r⁻³ as series
    for k in range(order):
        derivatives = [y[6 + i][k] for i in range(6)] + [Decimal(0)] * 6
        for i, j, dx, dy, r2, w in pairs:
            dx.append(y[2 * j][k] - y[2 * i][k])
            dy.append(y[2 * j + 1][k] - y[2 * i + 1][k])
            r2.append(convolve(dx, dx, k) + convolve(dy, dy, k))
            w.append(power(r2, w, k, half) if k else r2[0] ** half)
            for axis, series in ((0, dx), (1, dy)):
                pull = convolve(series, w, k)
                derivatives[6 + 2 * i + axis] += masses[j] * pull
                derivatives[6 + 2 * j + axis] -= masses[i] * pull
        for series, derivative in zip(y, derivatives, strict=True):
            series.append(derivative / (k + 1))
    return y


def taylor(series, t, y0, order=ORDER, digits=DIGITS):
    """The states at times t, by Taylor series; steps so long that the last two terms stay under 10^(10 - digits)."""
    with localcontext() as context:
        context.prec = digits
        tiny = Decimal(10) ** (10 - digits)
        times, y, states = [Decimal(s) for s in t], [Decimal(v) for v in y0], []
        start = times[0]
        while len(states) < len(times):
            coefficients = series(y, order)
            scale = max(abs(c[0]) for c in coefficients) * tiny
            last = [(k, max(abs(c[k]) for c in coefficients)) for k in (order - 1, order)]
            h = Decimal(min((float(scale / size) ** (1 / k) for k, size in last if size), default=1.0))
            while len(states) < len(times) and times[len(states)] <= start + h:
                states.append([horner(c, times[len(states)] - start) for c in coefficients])
            y = [horner(c, h) for c in coefficients]
            start += h
    return np.array(states, float)


def horner(c, x):
    """The polynomial with coefficients c at x."""
    return functools.reduce(lambda value, next_: value * x + next_, reversed(c))


def kepler_orbit(t, eccentricity):
    """States of a planet that starts at its perihelion, semi-major axis 1: Kepler's equation $E - e \\sin E = t$.

    Rows are $(\\cos E - e, s \\sin E, -\\sin E / r, s \\cos E / r)$ with $s = \\sqrt{1 - e^2}$ and $r = 1 - e \\cos E$.
    Source: Goldstein, Poole, Safko, Classical Mechanics, 3rd ed. (2002), section 3.8.
    """
    e = eccentricity
    turns = np.rint(t / math.tau)
    mean = (t - turns * math.tau) - turns * 2.4492935982947064e-16  # what the float 2 pi lacks of 2 pi
    anomaly = mean + e * np.sign(np.sin(mean))  # from here Newton's method cannot overshoot
    for _ in range(50):
        anomaly = anomaly - (anomaly - e * np.sin(anomaly) - mean) / (1 - e * np.cos(anomaly))
    s, r = math.sqrt((1 - e) * (1 + e)), 1 - e * np.cos(anomaly)
    sin, cos = np.sin(anomaly), np.cos(anomaly)
    return np.stack([cos - e, s * sin, -sin / r, s * cos / r], axis=1)


SERIES = {systems.lorenz: lorenz_series, systems.three_bodies: three_bodies_series}


@functools.lru_cache(maxsize=256)
def _solved(f, t, y0):
    t, y0 = np.frombuffer(t), np.frombuffer(y0)
    states = kepler_orbit(t, 1 - y0[0]) if f is systems.kepler else taylor(SERIES[f], t, y0)
    states.flags.writeable = False
    return states


def exact(f, t, y0, accuracy):
    """The states at times t, shape (times, components), rounded once; computed once for each problem."""
    return _solved(f, t.tobytes(), y0.tobytes())
