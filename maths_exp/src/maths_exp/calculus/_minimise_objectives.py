"""Functions to be minimised: f(x, g, n) writes the gradient into g[:n] and returns the value.

They run in plain Python and as machine code alike.  The numbers are those of the collection on which minimisers are
compared, J. J. Moré, B. S. Garbow, K. E. Hillstrom, Testing unconstrained optimization software, ACM Transactions on
Mathematical Software 7 (1981), 17-41: a sum of squares of residuals r, so that the gradient is the sum of 2 r r'.
"""

from __future__ import annotations

import math


def rosenbrock(x, g, n):
    """No. 1 and 21: a curved valley for each pair of variables."""
    f = 0.0
    for i in range(0, n, 2):
        r, s = 10 * (x[i + 1] - x[i] * x[i]), 1 - x[i]
        f += r * r + s * s
        g[i], g[i + 1] = -40 * r * x[i] - 2 * s, 20 * r
    return f


def freudenstein_roth(x, g, n):
    """No. 2: a second, higher minimum waits at (11.4, -0.9)."""
    r = -13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1]
    s = -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]
    g[0] = 2 * (r + s)
    g[1] = 2 * r * ((10 - 3 * x[1]) * x[1] - 2) + 2 * s * ((3 * x[1] + 2) * x[1] - 14)
    return r * r + s * s


def powell_badly_scaled(x, g, n):
    """No. 3: the minimum at (1.1e-5, 9.1) lies in a valley ten thousand times as steep as it is long."""
    a, b = math.exp(-x[0]), math.exp(-x[1])
    r, s = 1e4 * x[0] * x[1] - 1, a + b - 1.0001
    g[0], g[1] = 2e4 * r * x[1] - 2 * s * a, 2e4 * r * x[0] - 2 * s * b
    return r * r + s * s


def brown_badly_scaled(x, g, n):
    """No. 4: the minimum is at (10^6, 2 10^-6)."""
    r, s, t = x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2
    g[0], g[1] = 2 * r + 2 * t * x[1], 2 * s + 2 * t * x[0]
    return r * r + s * s + t * t


def beale(x, g, n):
    """No. 5."""
    f = g[0] = g[1] = 0.0
    power = slope = 1.0  # x[1]^i and its derivative
    for y in (1.5, 2.25, 2.625):
        slope = slope if power == 1.0 and y == 1.5 else slope * x[1] + power
        power *= x[1]
        r = y - x[0] * (1 - power)
        f += r * r
        g[0] -= 2 * r * (1 - power)
        g[1] += 2 * r * x[0] * slope
    return f


def helical_valley(x, g, n):
    """No. 7: a valley that winds around an axis."""
    square = x[0] * x[0] + x[1] * x[1]
    radius = math.sqrt(square)
    turn = math.atan2(x[1], x[0]) / (2 * math.pi)
    turn += 1.0 if x[0] < 0 and x[1] < 0 else 0.0
    r, s = 10 * (x[2] - 10 * turn), 10 * (radius - 1)
    c = 100 / (2 * math.pi * square)
    g[0] = 2 * r * c * x[1] + 20 * s * x[0] / radius
    g[1] = -2 * r * c * x[0] + 20 * s * x[1] / radius
    g[2] = 20 * r + 2 * x[2]
    return r * r + s * s + x[2] * x[2]


def powell_singular(x, g, n):
    """No. 13 and 22: for each four variables; the Hessian at the minimum is singular."""
    f = 0.0
    for i in range(0, n, 4):
        r, s, t, u = x[i] + 10 * x[i + 1], x[i + 2] - x[i + 3], x[i + 1] - 2 * x[i + 2], x[i] - x[i + 3]
        f += r * r + 5 * s * s + t**4 + 10 * u**4
        g[i] = 2 * r + 40 * u**3
        g[i + 1] = 20 * r + 4 * t**3
        g[i + 2] = 10 * s - 8 * t**3
        g[i + 3] = -10 * s - 40 * u**3
    return f


def wood(x, g, n):
    """No. 14: two valleys and a saddle that looks like a minimum."""
    r, s, t, u = x[1] - x[0] * x[0], x[3] - x[2] * x[2], x[1] + x[3] - 2, x[1] - x[3]
    g[0] = -400 * r * x[0] - 2 * (1 - x[0])
    g[1] = 200 * r + 20 * t + 0.2 * u
    g[2] = -360 * s * x[2] - 2 * (1 - x[2])
    g[3] = 180 * s + 20 * t - 0.2 * u
    return 100 * r * r + (1 - x[0]) ** 2 + 90 * s * s + (1 - x[2]) ** 2 + 10 * t * t + 0.1 * u * u


def penalty(x, g, n):
    """No. 23: near a sphere, all points are almost equally good."""
    f, r = 0.0, -0.25
    for i in range(n):
        r += x[i] * x[i]
    for i in range(n):
        f += 1e-5 * (x[i] - 1) ** 2
        g[i] = 2e-5 * (x[i] - 1) + 4 * r * x[i]
    return f + r * r


def variably_dimensioned(x, g, n):
    """No. 25: a sum, its square and its fourth power; the Hessian's eigenvalues lie far apart."""
    f = r = 0.0
    for i in range(n):
        f += (x[i] - 1) ** 2
        r += (i + 1) * (x[i] - 1)
    for i in range(n):
        g[i] = 2 * (x[i] - 1) + (i + 1) * (2 * r + 4 * r**3)
    return f + r**2 + r**4


def broyden_tridiagonal(x, g, n):
    """No. 30: each residual ties three neighbours together."""
    f = 0.0
    for i in range(n):
        g[i] = 0.0
    for i in range(n):
        before = x[i - 1] if i else 0.0
        after = x[i + 1] if i + 1 < n else 0.0
        r = (3 - 2 * x[i]) * x[i] - before - 2 * after + 1
        f += r * r
        g[i] += 2 * r * (3 - 4 * x[i])
        if i:
            g[i - 1] -= 2 * r
        if i + 1 < n:
            g[i + 1] -= 4 * r
    return f


def quadratic(x, g, n):
    """Half the weighted squares of differences to the point (1, ..., 1), with weights from 1 to 10^4."""
    f = 0.0
    for i in range(n):
        weight = 10.0 ** (4.0 * i / max(n - 1, 1))
        g[i] = weight * (x[i] - 1)
        f += 0.5 * g[i] * (x[i] - 1)
    return f


def lennard_jones(x, g, n):
    """Atoms in space, n / 3 of them: each pair has the energy $4 (r^{-12} - r^{-6})$."""
    f = 0.0
    for i in range(n):
        g[i] = 0.0
    for i in range(0, n, 3):
        for j in range(0, i, 3):
            a, b, c = x[i] - x[j], x[i + 1] - x[j + 1], x[i + 2] - x[j + 2]
            s = 1 / (a * a + b * b + c * c)
            s3 = s * s * s
            f += 4 * s3 * (s3 - 1)
            pull = 24 * s * s3 * (1 - 2 * s3)
            g[i] += pull * a
            g[i + 1] += pull * b
            g[i + 2] += pull * c
            g[j] -= pull * a
            g[j + 1] -= pull * b
            g[j + 2] -= pull * c
    return f
