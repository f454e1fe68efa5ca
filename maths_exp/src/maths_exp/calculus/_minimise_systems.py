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


def linear(x, g, n):
    """No. 32, of full rank and with 2 n equations, of which only n can hold."""
    f = total = rest = 0.0
    for i in range(n):
        total += x[i]
    for i in range(n):
        r = x[i] - total / n - 1
        f += r * r
        rest += r
        g[i] = 2 * r
    r = -total / n - 1
    f += n * r * r
    for i in range(n):
        g[i] -= 2 * (rest + n * r) / n
    return f
