"""Osborne's two fits of the collection: sums of exponentials, and of bells, to measurements.

Numbers and letters of Moré, Garbow, Hillstrom (1981), as in _minimise_objectives: f is the sum of the squares of r.
"""

from __future__ import annotations

import math

# fmt: off
DECAY = (
    0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628,
    0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420,
    0.414, 0.411, 0.406,
)
PEAKS = (
    1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616,
    0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495,
    0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672,
    0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581,
    0.428, 0.292, 0.162, 0.098, 0.054,
)
# fmt: on


def osborne_1(x, g, n):
    """No. 17: a constant and two exponentials, which nearly cancel."""
    f = g[0] = g[1] = g[2] = g[3] = g[4] = 0.0
    for i in range(33):
        t = 10.0 * i
        a, b = math.exp(-t * x[3]), math.exp(-t * x[4])
        r = x[0] + x[1] * a + x[2] * b - DECAY[i]
        f += r * r
        g[0] += 2 * r
        g[1] += 2 * r * a
        g[2] += 2 * r * b
        g[3] -= 2 * r * t * x[1] * a
        g[4] -= 2 * r * t * x[2] * b
    return f


def osborne_2(x, g, n):
    """No. 19: an exponential and three bells of unknown height, width and place."""
    f = 0.0
    for j in range(11):
        g[j] = 0.0
    for i in range(65):
        t = i / 10
        a = math.exp(-t * x[4])
        r = x[0] * a - PEAKS[i]
        for k in range(1, 4):
            d = t - x[7 + k]
            r += x[k] * math.exp(-d * d * x[4 + k])
        f += r * r
        g[0] += 2 * r * a
        g[4] -= 2 * r * t * x[0] * a
        for k in range(1, 4):
            d = t - x[7 + k]
            bell = math.exp(-d * d * x[4 + k])
            g[k] += 2 * r * bell
            g[4 + k] -= 2 * r * x[k] * d * d * bell
            g[7 + k] += 4 * r * x[k] * d * x[4 + k] * bell
    return f
