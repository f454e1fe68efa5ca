"""Dormand and Prince's method: it chooses its own steps, and joins their ends by a polynomial."""

from __future__ import annotations

import math

import numpy as np

from maths_exp.calculus._ode_tableaus import A, C, D, E

# Aim below what is allowed: of the values in Hairer, Nørsett, Wanner I, section II.4, the one with fewest rejections.
SAFETY = 0.8
SHRUNK = "the step has shrunk to nothing: the solution is singular there, or not a number"

# The same numbers in floats: a fraction would be carried through every step, exact and longer each time.
a = [[float(entry) for entry in row] for row in A]
c, d, e = ([float(entry) for entry in row] for row in (C, D, E))


def weighted(weights, k, j):
    """Component j of the sum of weights[i] k[i]."""
    return sum(w * k_i[j] for w, k_i in zip(weights, k, strict=False))


def dormand_prince(f, t, y0, tolerance):
    """Two results of different order from the same seven slopes: their difference says how long a step may be."""
    y, states, evaluations = list(y0), [], 1
    x, end, n = t[0], t[-1], range(len(y0))
    k1 = f(x, y)
    h = first_step(y, k1, tolerance, end - x)
    largest = 10.0
    while len(states) < len(t) and t[len(states)] <= x:
        states.append(y)
    while len(states) < len(t):
        if 1.01 * h > end - x:
            h = end - x
        if not x + h > x:
            raise ArithmeticError(SHRUNK)
        k = [k1]
        for s in range(1, 7):
            z = [y[j] + h * weighted(a[s], k, j) for j in n]
            k.append(f(x + c[s] * h, z))
        evaluations += 6
        allowed = [tolerance * (1 + max(abs(y[j]), abs(z[j]))) for j in n]
        error = h * math.hypot(*(weighted(e, k, j) / allowed[j] for j in n)) / math.sqrt(len(n))
        if not error <= 1:  # written so that an error that is not a number is refused as well
            h *= max(0.2, SAFETY * error ** (-1 / 5)) if error < math.inf else 0.2
            largest = 1.0  # no growth right after a rejected step
            continue
        next_x = x + h if h < end - x else end
        while len(states) < len(t) and t[len(states)] <= next_x:
            theta = (t[len(states)] - x) / h
            states.append([dense(theta, h, y[j], z[j], k[0][j], k[6][j], weighted(d, k, j)) for j in n])
        x, y, k1 = next_x, z, k[6]
        h *= min(largest, SAFETY * max(error, 1e-30) ** (-1 / 5))
        largest = 10.0
    return np.array(states), evaluations


def first_step(y, k1, tolerance, span):
    """A step in which y changes by about the fifth root of the tolerance; the error of such a step is soon mended."""
    change = tolerance ** (1 / 5)
    slope = math.hypot(*k1)
    h = change * math.hypot(*y) / slope if slope else 0.0
    return h if 0 < h < math.inf else change * span


def dense(theta, h, y0, y1, slope0, slope1, correction):
    """y at the fraction theta of a step: a cubic through both ends and slopes, and what makes it a quartic (CONTD5)."""
    rise = y1 - y0
    bend = h * slope0 - rise
    twist = rise - h * slope1 - bend
    return y0 + theta * (rise + (1 - theta) * (bend + theta * (twist + (1 - theta) * h * correction)))
