"""The same methods on NumPy's arrays: a state is a vector, the slopes of a step are the rows of a matrix."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from maths_exp.calculus._ode_dormand_prince import SAFETY, SHRUNK, dense, first_step
from maths_exp.calculus._ode_tableaus import DORMAND_PRINCE


def rk4_vectorised(f, t, y0, steps):
    """The same with arrays for y and its slopes: on so few components a call of NumPy costs more than the sum."""
    states = [np.array(y0, float)]
    for start, end in pairwise(t):
        h, y = (end - start) / steps, states[-1]
        for i in range(steps):
            s = start + i * h
            k1 = np.array(f(s, y.tolist()))
            k2 = np.array(f(s + h / 2, (y + h / 2 * k1).tolist()))
            k3 = np.array(f(s + h / 2, (y + h / 2 * k2).tolist()))
            k4 = np.array(f(s + h, (y + h * k3).tolist()))
            y = y + h / 6 * (k1 + 2 * (k2 + k3) + k4)
        states.append(y)
    return np.array(states), 4 * steps * (len(t) - 1)


def dormand_prince_vectorised(f, t, y0, tolerance):
    """The same with arrays: a stage is a row of the tableau times the matrix of slopes k, shape (7, components)."""
    a, c, e, d, q = DORMAND_PRINCE
    y, states, evaluations = np.array(y0, float), [], 1
    x, end = t[0], t[-1]
    k = np.zeros((7, y.size))
    k[0] = f(x, y.tolist())
    h = first_step(y, k[0], tolerance, end - x)
    largest = 10.0
    while len(states) < len(t) and t[len(states)] <= x:
        states.append(y)
    while len(states) < len(t):
        if 1.01 * h > end - x:
            h = end - x
        if not x + h > x:
            raise ArithmeticError(SHRUNK)
        for s in range(1, 7):
            z = y + h * (a[s, :s] @ k[:s])
            k[s] = f(x + c[s] * h, z.tolist())
        evaluations += 6
        allowed = tolerance * (1 + np.maximum(abs(y), abs(z)))
        error = h * np.linalg.norm(e[0] @ k / allowed) / math.sqrt(y.size)
        if not error <= 1:
            h *= max(0.2, SAFETY * error ** (-1 / q)) if error < math.inf else 0.2
            largest = 1.0
            continue
        next_x = x + h if h < end - x else end
        while len(states) < len(t) and t[len(states)] <= next_x:
            states.append(dense((t[len(states)] - x) / h, h, y, z, k[0], k[6], d[0] @ k))
        x, y, k[0] = next_x, z, k[6]
        h *= min(largest, SAFETY * max(error, 1e-30) ** (-1 / q))
        largest = 10.0
    return np.array(states), evaluations
