"""Functions of the collection that are systems of n equations: r = 0, or as near as it gets.

Numbers and letters of Moré, Garbow, Hillstrom (1981), as in _minimise_objectives: f is the sum of the squares of r.
"""

from __future__ import annotations

import math


def trigonometric(x, g, n):
    """No. 26: every equation holds every cosine; besides zero there is a higher minimum."""
    cosines = f = pull = 0.0
    for i in range(n):
        cosines += math.cos(x[i])
    for i in range(n):
        r = n - cosines + (i + 1) * (1 - math.cos(x[i])) - math.sin(x[i])
        f += r * r
        pull += r
        g[i] = 2 * r * ((i + 1) * math.sin(x[i]) - math.cos(x[i]))
    for i in range(n):
        g[i] += 2 * pull * math.sin(x[i])
    return f


def boundary_value(x, g, n):
    """No. 28: u'' = (u + t + 1)³ / 2 with u = 0 at both ends, by differences."""
    f, h = 0.0, 1.0 / (n + 1)
    for i in range(n):
        g[i] = 0.0
    for i in range(n):
        before = x[i - 1] if i else 0.0
        after = x[i + 1] if i + 1 < n else 0.0
        s = x[i] + (i + 1) * h + 1
        r = 2 * x[i] - before - after + h * h * s * s * s / 2
        f += r * r
        g[i] += 2 * r * (2 + 1.5 * h * h * s * s)
        if i:
            g[i - 1] -= 2 * r
        if i + 1 < n:
            g[i + 1] -= 2 * r
    return f


def broyden_banded(x, g, n):
    """No. 31: each residual ties a variable to five before it and one behind."""
    f = 0.0
    for i in range(n):
        g[i] = 0.0
    for i in range(n):
        r = x[i] * (2 + 5 * x[i] * x[i]) + 1
        for j in range(max(0, i - 5), min(n, i + 2)):
            if j != i:
                r -= x[j] * (1 + x[j])
        f += r * r
        g[i] += 2 * r * (2 + 15 * x[i] * x[i])
        for j in range(max(0, i - 5), min(n, i + 2)):
            if j != i:
                g[j] -= 2 * r * (1 + 2 * x[j])
    return f


def watson(x, g, n):
    """No. 20: a polynomial for which p' = p² + 1; the more terms, the flatter the valley."""
    f = 0.0
    for j in range(n):
        g[j] = 0.0
    for i in range(1, 30):
        t = i / 29
        p = slope = 0.0
        power, below = 1.0, 0.0  # t^j, and t^(j-1)
        for j in range(n):
            p += x[j] * power
            slope += j * x[j] * below
            power, below = power * t, power
        r = slope - p * p - 1
        f += r * r
        power, below = 1.0, 0.0
        for j in range(n):
            g[j] += 2 * r * (j * below - 2 * p * power)
            power, below = power * t, power
    r, s = x[0], x[1] - x[0] * x[0] - 1
    g[0] += 2 * r - 4 * s * x[0]
    g[1] += 2 * s
    return f + r * r + s * s


def penalty_2(x, g, n):
    """No. 24: exponentials of neighbours, and a weighted sphere."""
    sphere = -1.0
    for j in range(n):
        sphere += (n - j) * x[j] * x[j]
    first = x[0] - 0.2
    f = first * first + sphere * sphere
    for j in range(n):
        g[j] = 4 * sphere * (n - j) * x[j]
    g[0] += 2 * first
    for j in range(1, n):
        a, b = math.exp(x[j] / 10), math.exp(x[j - 1] / 10)
        r, s = a + b - math.exp((j + 1) / 10) - math.exp(j / 10), a - math.exp(-0.1)
        f += 1e-5 * (r * r + s * s)
        g[j] += 2e-6 * (r + s) * a
        g[j - 1] += 2e-6 * r * b
    return f


def brown_almost_linear(x, g, n):
    """No. 27: all equations are linear but the last, a product; a minimum where n - 1 variables are zero is higher."""
    total, product = -(n + 1.0), 1.0
    for j in range(n):
        total += x[j]
        product *= x[j]
    last = product - 1
    f, rest = last * last, 0.0
    for i in range(n - 1):
        r = x[i] + total
        f += r * r
        rest += r
        g[i] = 2 * r
    g[n - 1] = 0.0
    for j in range(n):
        others = 1.0
        for k in range(n):
            if k != j:
                others *= x[k]
        g[j] += 2 * rest + 2 * last * others
    return f


def integral_equation(x, g, n):
    """No. 29: what no. 28 is by differences, as an integral: every equation holds every variable."""
    f, h = 0.0, 1.0 / (n + 1)
    for j in range(n):
        g[j] = 0.0
    for i in range(n):
        t = (i + 1) * h
        r = x[i]
        for j in range(n):
            u = (j + 1) * h
            s = x[j] + u + 1
            r += h / 2 * min(t, u) * (1 - max(t, u)) * s * s * s
        f += r * r
        g[i] += 2 * r
        for j in range(n):
            u = (j + 1) * h
            s = x[j] + u + 1
            g[j] += 3 * r * h * min(t, u) * (1 - max(t, u)) * s * s
    return f


def chebyquad(x, g, n):
    """No. 35: nodes at which Chebyshev's polynomials have their mean; for n = 8 there are none."""
    f = 0.0
    for j in range(n):
        g[j] = 0.0
    for i in range(1, n + 1):
        r = 1.0 / (i * i - 1) if i % 2 == 0 else 0.0
        for j in range(n):
            z = 2 * x[j] - 1
            before, now = 1.0, z  # T of degree 0 and 1
            for _ in range(i - 1):
                before, now = now, 2 * z * now - before
            r += now / n
        f += r * r
        for j in range(n):
            z = 2 * x[j] - 1
            before, now, slope_before, slope = 1.0, z, 0.0, 2.0
            for _ in range(i - 1):
                slope_before, slope = slope, 4 * now + 2 * z * slope - slope_before
                before, now = now, 2 * z * now - before
            g[j] += 2 * r * slope / n
    return f
