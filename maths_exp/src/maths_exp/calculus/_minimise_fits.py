"""Functions of the collection that fit a curve to measurements, or a sum of exponentials to another.

Numbers and letters of Moré, Garbow, Hillstrom (1981), as in _minimise_objectives: f is the sum of the squares of r.
"""

from __future__ import annotations

import math

BARD = (0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39)
GAUSS = (0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989)  # and back again
MEYER = (34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872)
KOWALIK_Y = (0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246)
KOWALIK_U = (4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625)


def jennrich_sampson(x, g, n):
    """No. 6: two exponentials that would be one; the minimum is far from zero."""
    f = g[0] = g[1] = 0.0
    for i in range(1, 11):
        a, b = math.exp(i * x[0]), math.exp(i * x[1])
        r = 2 + 2 * i - (a + b)
        f += r * r
        g[0] -= 2 * r * i * a
        g[1] -= 2 * r * i * b
    return f


def bard(x, g, n):
    """No. 8: a rational function of u, 16 - u and the smaller of them."""
    f = g[0] = g[1] = g[2] = 0.0
    for i in range(15):
        u, v = i + 1.0, 15.0 - i
        w = min(u, v)
        below = v * x[1] + w * x[2]
        r = BARD[i] - (x[0] + u / below)
        f += r * r
        g[0] -= 2 * r
        g[1] += 2 * r * u * v / (below * below)
        g[2] += 2 * r * u * w / (below * below)
    return f


def gaussian(x, g, n):
    """No. 9: height, width and place of a bell; the start is almost right."""
    f = g[0] = g[1] = g[2] = 0.0
    for i in range(15):
        d = (7 - i) / 2 - x[2]
        bell = math.exp(-x[1] * d * d / 2)
        r = x[0] * bell - GAUSS[min(i, 14 - i)]
        f += r * r
        g[0] += 2 * r * bell
        g[1] -= r * x[0] * bell * d * d
        g[2] += 2 * r * x[0] * bell * x[1] * d
    return f


def box(x, g, n):
    """No. 12: three dimensions, and a whole line of minima where x[0] = x[1] and x[2] = 0."""
    f = g[0] = g[1] = g[2] = 0.0
    for i in range(1, 11):
        t = i / 10
        a, b, c = math.exp(-t * x[0]), math.exp(-t * x[1]), math.exp(-t) - math.exp(-10 * t)
        r = a - b - x[2] * c
        f += r * r
        g[0] -= 2 * r * t * a
        g[1] += 2 * r * t * b
        g[2] -= 2 * r * c
    return f


def kowalik_osborne(x, g, n):
    """No. 15: the rate of an enzyme, a quotient of parabolas."""
    f = g[0] = g[1] = g[2] = g[3] = 0.0
    for i in range(11):
        u = KOWALIK_U[i]
        above, below = u * (u + x[1]), u * (u + x[2]) + x[3]
        r = KOWALIK_Y[i] - x[0] * above / below
        f += r * r
        each = 2 * r / below
        g[0] -= each * above
        g[1] -= each * x[0] * u
        g[2] += each * x[0] * above / below * u
        g[3] += each * x[0] * above / below
    return f


def biggs(x, g, n):
    """No. 18: three exponentials with unknown weights; besides zero there is a higher minimum."""
    f = 0.0
    for j in range(6):
        g[j] = 0.0
    for i in range(1, 14):
        t = i / 10
        a, b, c = math.exp(-t * x[0]), math.exp(-t * x[1]), math.exp(-t * x[4])
        r = x[2] * a - x[3] * b + x[5] * c - (math.exp(-t) - 5 * math.exp(-10 * t) + 3 * math.exp(-4 * t))
        f += r * r
        g[0] -= 2 * r * x[2] * t * a
        g[1] += 2 * r * x[3] * t * b
        g[2] += 2 * r * a
        g[3] -= 2 * r * b
        g[4] -= 2 * r * x[5] * t * c
        g[5] += 2 * r * c
    return f


def meyer(x, g, n):
    """No. 10: the resistance of a thermistor; the variables are of the order of 0.01, 10^4 and 10^2."""
    f = g[0] = g[1] = g[2] = 0.0
    for i in range(16):
        below = 50 + 5 * i + x[2]
        curve = math.exp(x[1] / below)
        r = x[0] * curve - MEYER[i]
        f += r * r
        g[0] += 2 * r * curve
        g[1] += 2 * r * x[0] * curve / below
        g[2] -= 2 * r * x[0] * curve * x[1] / (below * below)
    return f


def gulf(x, g, n):
    """No. 11: how far it is from x[1], to the power x[2], in the exponent."""
    f = g[0] = g[1] = g[2] = 0.0
    for i in range(1, 100):
        t = i / 100
        d = 25 + math.exp(math.log(-50 * math.log(t)) * 2 / 3) - x[1]
        log_d = math.log(d * d) / 2
        power = math.exp(x[2] * log_d)
        e = math.exp(-power / x[0])
        r = e - t
        f += r * r
        each = 2 * r * e * power / x[0]
        g[0] += each / x[0]
        g[1] += each * x[2] / d
        g[2] -= each * log_d
    return f


def brown_dennis(x, g, n):
    """No. 16: two curves and their squares at once."""
    f = g[0] = g[1] = g[2] = g[3] = 0.0
    for i in range(1, 21):
        t = i / 5
        a, b = x[0] + t * x[1] - math.exp(t), x[2] + x[3] * math.sin(t) - math.cos(t)
        r = a * a + b * b
        f += r * r
        g[0] += 4 * r * a
        g[1] += 4 * r * a * t
        g[2] += 4 * r * b
        g[3] += 4 * r * b * math.sin(t)
    return f
