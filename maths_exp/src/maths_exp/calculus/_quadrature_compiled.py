"""Adaptive integration of a whole set in one compiled call; integrands come in as addresses of C functions."""

from __future__ import annotations

import functools

import numpy as np

from exp_core.compiled import FUSE, REORDER, njit
from maths_exp.calculus._quadrature_nodes import kronrod
from maths_exp.calculus._quadrature_pointers import fill

U = 2.0**-53  # unit roundoff
LIMIT = 500  # intervals of one integral
DEEPEST = 60  # bisections in a row: what is left then is 1e-18 of the whole
WITNESSES = 6  # partial results that must shrink towards one limit before it is believed
SHRINKS = 0.999  # the steps between them, each time by at least this: those of 1/x do not
WAVES = 5  # crossings of its mean with which a function oscillates
ORDERS = 7, 30  # Gauss's nodes in the rule that is tried first, and in that for waves
LANES = 8  # numbers in the longest vector registers


@njit(fastmath=REORDER)
def panel(address, p, a, b, rule, y):
    """The integral over an interval by Kronrod's rule, its estimated error, and how often f crosses its mean.

    Kronrod's result minus Gauss's is the error of the worse of the two.  The better one is far better: raised to the
    power 3/2, in units of the mean deviation of f, the difference comes closer to its error.  At a kink that is a hope
    which can fail.  Source: Piessens et al., QUADPACK (1983), section 3.4.1.1.
    """
    x, w, w_gauss = rule
    centre, half = (a + b) / 2, (b - a) / 2
    fill(address, centre, half, x, p, y)
    of_kronrod = of_gauss = size = 0.0
    for i in range(x.size):
        of_kronrod += w[i] * y[i]
        of_gauss += w_gauss[i] * y[i]
        size += w[i] * abs(y[i])
    mean, deviation, crossings = of_kronrod / 2, 0.0, 0
    above = y[0] > mean
    for i in range(x.size):
        deviation += w[i] * abs(y[i] - mean)
        before, above = above, y[i] > mean
        crossings += above != before
    error = abs(of_kronrod - of_gauss)
    if deviation > 0:
        ratio = 200 * error / deviation
        error = deviation * min(1.0, ratio * np.sqrt(ratio))
    return half * of_kronrod, half * max(error, 50 * U * size), crossings


@njit
def looks(rule):
    """The places of a rule; those that only fill its last vector weigh nothing."""
    places = 0
    for weight in rule[1]:
        places += weight > 0
    return places


@njit(fastmath=FUSE)
def wynn(e, n):
    """Wynn's epsilon algorithm: e[:n] is the last diagonal of the table, e[n] a new partial result; returns the limit.

    Takes n/2 geometric terms out of the error at once.  In place, as in E. J. Weniger, Nonlinear sequence
    transformations, Computer Physics Reports 10 (1989), section 4.3.
    """
    right = 0.0
    for j in range(n, 0, -1):
        corner, right = right, e[j - 1]
        difference = e[j] - right
        e[j - 1] = corner + 1 / difference if abs(difference) > 1e-60 else 1e60
    return e[n % 2] if abs(e[n % 2]) < 1e50 else e[n]  # nothing left to take out


@njit(fastmath=FUSE)
def spread(limits, sums, level):
    """How far the last limits differ, if the partial results come closer to one another; infinite before.

    A peak that is not resolved yet looks like a pole: the sums grow, and the epsilon algorithm would find a limit.
    """
    if level < WITNESSES:
        return np.inf
    widest = 0.0
    for k in range(level - WITNESSES + 2, level + 1):
        widest = max(widest, abs(limits[level] - limits[k - 1])) if k > level - WITNESSES + 2 else widest
        if not abs(sums[k] - sums[k - 1]) <= SHRINKS * abs(sums[k - 1] - sums[k - 2]) + 4 * U * abs(sums[k]):
            return np.inf
    return widest


@njit(fastmath=FUSE)
def adaptive(address, p, a, b, tolerance, extrapolate, short, long, room):
    """Bisect where the estimated error is largest, until all of it is allowed; room: (6, LIMIT) to work in.

    With extrapolation, no interval shorter than $2^{-level} (b - a)$ is bisected before the longer ones are done with:
    then the only error left is that of the shortest, where f is singular, and it shrinks from level to level like a
    geometric series, whose limit the epsilon algorithm finds.  Source: Piessens et al., section 3.4.2.1 (QAGS).
    Where f oscillates it takes Kronrod's longer rule.
    """
    e, limits, sums = np.empty(DEEPEST + 1), np.empty(DEEPEST + 1), np.empty(DEEPEST + 1)
    left, right, value, error, depth, waves = room
    y = np.empty(long.shape[1])
    left[0], right[0], depth[0] = a, b, 0
    value[0], error[0], waves[0] = panel(address, p, a, b, short, y)
    n, evaluations, level = 1, looks(short), 0 if extrapolate else LIMIT
    best, best_error = value[0], error[0]
    while True:
        total = total_error = long_error = worst_error = 0.0
        i = -1
        for j in range(n):
            total += value[j]
            total_error += error[j]
            if depth[j] < level:
                long_error += error[j]
                if error[j] > worst_error:
                    i, worst_error = j, error[j]
        allowed = tolerance * max(1.0, abs(total))
        if not total_error > best_error:
            best, best_error = total, total_error
        if total_error <= allowed:
            return total, total_error, evaluations
        if extrapolate and level < DEEPEST and (i < 0 or long_error <= allowed / 8):
            e[level] = sums[level] = total
            limits[level] = wynn(e, level)
            found = spread(limits, sums, level) + long_error
            if found < best_error:
                best, best_error = limits[level], found
            if best_error <= tolerance * max(1.0, abs(best)):
                return best, best_error, evaluations
            level += 1
            continue
        if n == LIMIT or i < 0:
            return best, best_error, evaluations
        rule = long if waves[i] >= WAVES else short
        middle = (left[i] + right[i]) / 2
        left[n], right[n], right[i] = middle, right[i], middle
        depth[i] += 1
        depth[n] = depth[i]
        for j in (i, n):
            value[j], error[j], waves[j] = panel(address, p, left[j], right[j], rule, y)
        evaluations += 2 * looks(rule)
        n += 1


@njit(fastmath=FUSE)
def adaptive_set(addresses, parameters, ends, tolerance, extrapolate, short, long):
    """One integral after the other."""
    room = np.empty((6, LIMIT))
    values, errors, evaluations = np.empty(addresses.size), np.empty(addresses.size), 0
    for i in range(addresses.size):
        a, b = ends[i]
        values[i], errors[i], calls = adaptive(
            addresses[i], parameters[i], a, b, tolerance, extrapolate, short, long, room
        )
        evaluations += calls
    return values, errors, evaluations


@functools.cache
def rules():
    """Both of Kronrod's rules as arrays of shape (3, places): nodes, weights, Gauss's weights.

    The last node is repeated without weight until whole vectors are full.
    """
    made = []
    for n in ORDERS:
        x, w, w_gauss = kronrod(n)
        rule = np.zeros((3, -(-x.size // LANES) * LANES))
        rule[:, : x.size], rule[0, x.size :] = (x, w, w_gauss), x[-1]
        made.append(rule)
    return made


def gauss_kronrod_compiled(addresses, parameters, ends, tolerance):
    """The same in compiled code, for the whole set at once."""
    return adaptive_set(addresses, parameters, ends, tolerance, False, *rules())


def epsilon_compiled(addresses, parameters, ends, tolerance):
    r"""The same with Wynn's $\epsilon$ algorithm: the limit of what bisection finds at a singularity."""
    return adaptive_set(addresses, parameters, ends, tolerance, True, *rules())
