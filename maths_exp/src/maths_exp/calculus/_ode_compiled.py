"""Whole solves in compiled code; f comes in as a C function pointer, so that one compilation serves every system."""

from __future__ import annotations

import numpy as np

from exp_core.compiled import FUSE, njit
from maths_exp.calculus._ode_dop853 import DOP853
from maths_exp.calculus._ode_dormand_prince import SAFETY, SHRUNK
from maths_exp.calculus._ode_tableaus import DORMAND_PRINCE

MAX_STEPS = 10**7  # of one solve: some seconds


@njit(fastmath=FUSE)
def rk4_compiled(f, t, y0, steps):
    """The same four slopes; y, k and f stay in registers and the first cache."""
    n = y0.size
    y, z, k, total = y0.copy(), np.empty(n), np.empty(n), np.empty(n)
    states = np.empty((t.size, n))
    states[0] = y
    for i in range(1, t.size):
        h = (t[i] - t[i - 1]) / steps
        for step in range(steps):
            s = t[i - 1] + step * h
            f(s, y.ctypes, k.ctypes)
            for j in range(n):
                total[j] = k[j]
                z[j] = y[j] + h / 2 * k[j]
            f(s + h / 2, z.ctypes, k.ctypes)
            for j in range(n):
                total[j] += 2 * k[j]
                z[j] = y[j] + h / 2 * k[j]
            f(s + h / 2, z.ctypes, k.ctypes)
            for j in range(n):
                total[j] += 2 * k[j]
                z[j] = y[j] + h * k[j]
            f(s + h, z.ctypes, k.ctypes)
            for j in range(n):
                y[j] += h / 6 * (total[j] + k[j])
        states[i] = y
    return states, 4 * steps * (t.size - 1)


@njit(fastmath=FUSE)
def leapfrog_compiled(f, t, y0, steps):
    """The same three lines a step, on positions y[:n] and velocities y[n:] in place."""
    n = y0.size // 2
    y, k = y0.copy(), np.empty(2 * n)
    states = np.empty((t.size, 2 * n))
    states[0] = y
    f(t[0], y.ctypes, k.ctypes)
    for i in range(1, t.size):
        h = (t[i] - t[i - 1]) / steps
        for step in range(1, steps + 1):
            for j in range(n):
                y[n + j] += h / 2 * k[n + j]
                y[j] += h * y[n + j]
            f(t[i - 1] + step * h, y.ctypes, k.ctypes)
            for j in range(n):
                y[n + j] += h / 2 * k[n + j]
        states[i] = y
    return states, 1 + steps * (t.size - 1)


@njit(fastmath=FUSE)
def stages(f, t, h, y, first, last, a, c, k, z):
    """Fill k[first:last]; z is left as the argument of the last one."""
    for s in range(first, last):
        for j in range(y.size):
            total = 0.0
            for i in range(s):
                total += a[s, i] * k[i, j]
            z[j] = y[j] + h * total
        f(t + c[s] * h, z.ctypes, k[s].ctypes)


@njit(fastmath=FUSE)
def error_norm(h, y, z, tolerance, e, k):
    """The estimated error of a step, in units of what is allowed; of two estimates the lower order damps the higher.

    Source: Hairer, Nørsett, Wanner I, eq. (II.4.11), and for the two estimates eq. (II.10.17).
    """
    high = low = 0.0
    for j in range(y.size):
        error_high = error_low = 0.0
        for i in range(e.shape[1]):
            error_high += e[0, i] * k[i, j]
            error_low += e[1, i] * k[i, j]
        allowed = 1 / (tolerance * (1 + max(abs(y[j]), abs(z[j]))))
        high += (error_high * allowed) ** 2
        low += (error_low * allowed) ** 2
    return h * high / np.sqrt((high + 0.01 * low) * y.size) if high > 0 else high


@njit(fastmath=FUSE)
def polynomial(h, y, z, s, d, k, r):
    """Coefficients r of the dense output on a step: both ends, both slopes, what d adds (Hairer's CONTD8)."""
    for j in range(y.size):
        r[0, j] = y[j]
        r[1, j] = z[j] - y[j]
        r[2, j] = h * k[0, j] - r[1, j]
        r[3, j] = r[1, j] - h * k[s, j] - r[2, j]
        for m in range(d.shape[0]):
            r[4 + m, j] = 0.0
            for i in range(d.shape[1]):
                r[4 + m, j] += h * d[m, i] * k[i, j]


@njit(fastmath=FUSE)
def evaluate(r, theta, state):
    """r[0] + theta (r[1] + (1 - theta) (r[2] + theta (r[3] + ...))) for theta from 0 to 1 on the step."""
    for j in range(state.size):
        value = 0.0
        for m in range(r.shape[0] - 1, -1, -1):
            value = r[m, j] + (1 - theta if m % 2 else theta) * value
        state[j] = value


@njit(fastmath=FUSE)
def adaptive(f, t, y0, tolerance, a, c, e, d, q):
    """Step after step, each as long as its error allows; where an output time is passed, a polynomial over the step."""
    n, s, rows = y0.size, e.shape[1] - 1, c.size
    k, r = np.zeros((rows, n)), np.zeros((4 + d.shape[0], n))
    y, z, end_state = y0.copy(), np.empty(n), np.empty(n)
    states = np.empty((t.size, n))
    x, end = t[0], t[-1]
    f(x, y.ctypes, k[0].ctypes)
    evaluations, i, largest = 1, 0, 10.0
    while i < t.size and t[i] <= x:
        states[i] = y
        i += 1
    h = tolerance ** (1 / q) * np.sqrt(np.sum(y * y) / np.sum(k[0] * k[0]))
    if not 0 < h < np.inf:
        h = tolerance ** (1 / q) * (end - x)
    for _ in range(MAX_STEPS):
        if i == t.size:
            return states, evaluations
        if 1.01 * h > end - x:
            h = end - x
        if not x + h > x:
            raise ArithmeticError(SHRUNK)
        stages(f, x, h, y, 1, s + 1, a, c, k, z)
        evaluations += s
        error = error_norm(h, y, z, tolerance, e, k)
        if not error <= 1:
            h *= max(0.2, SAFETY * error ** (-1 / q)) if error < np.inf else 0.2
            largest = 1.0  # no growth right after a rejected step
            continue
        next_x = x + h if h < end - x else end
        if t[i] <= next_x:
            end_state[:] = z
            stages(f, x, h, y, s + 1, rows, a, c, k, z)
            z[:] = end_state
            evaluations += rows - s - 1
            polynomial(h, y, z, s, d, k, r)
            while i < t.size and t[i] <= next_x:
                evaluate(r, (t[i] - x) / h, states[i])
                i += 1
        for j in range(n):
            y[j], k[0, j] = z[j], k[s, j]
        x = next_x
        h *= min(largest, SAFETY * max(error, 1e-30) ** (-1 / q))
        largest = 10.0
    raise RuntimeError("needs more than 1e+07 steps")


def dormand_prince_compiled(f, t, y0, tolerance):
    """The same in one compiled loop; for an f of your own: dormand_prince_compiled(pointer(f), t, y0, 1e-9)."""
    return adaptive(f, t, y0, tolerance, *DORMAND_PRINCE)


def dop853_compiled(f, t, y0, tolerance):
    """Order 8 where it was 5: twelve evaluations a step, and far fewer steps."""
    return adaptive(f, t, y0, tolerance, *DOP853)
