"""L-BFGS with a line search for the strong Wolfe conditions, all of it in compiled code.

Letters of J. Nocedal, S. J. Wright, Numerical Optimization, 2nd ed. (2006): algorithms 7.4, 7.5, 3.5 and 3.6.
"""

from __future__ import annotations

import functools
import importlib
import math

import numpy as np

from exp_core.compiled import address_of, intrinsic, njit

M = 10  # pairs of steps s and changes of gradient y that are remembered
EPS = float(np.finfo(float).eps)
C1, C2 = 1e-4, 0.9  # sufficient decrease, and how much flatter the end of a step must be
TRIALS = 40  # of one line search
STEPS = 20_000  # of one minimisation


@functools.cache
def machine_code(f):
    """f(x, g, n) compiled by itself.

    No multiply-add is fused: the gradient is bit for bit that of plain Python, and so is the verdict on it.
    """
    return njit(f)


@functools.cache
def pointer(f):
    """The address of double f(double *x, double *g, long n), which writes the gradient into g."""
    numba = importlib.import_module("numba")
    numbers = numba.types.CPointer(numba.float64)
    return address_of(machine_code(f), numbers, numbers, numba.int64)


@intrinsic
def call(typing, address, x, g):
    """The value at x of the C function at that address, which writes its gradient into g."""
    from llvmlite import ir
    from numba.core import types

    def generate(context, builder, signature, arguments):
        double, integer = ir.DoubleType(), ir.IntType(64)
        kind = ir.FunctionType(double, [double.as_pointer(), double.as_pointer(), integer])
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        x, g = (context.make_array(signature.args[i])(context, builder, arguments[i]) for i in (1, 2))
        return builder.call(function, [x.data, g.data, builder.extract_value(x.shape, 0)])

    return types.float64(address, x, g), generate


@njit
def dot(a, b):
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@njit
def cubic(a, fa, da, b, fb, db):
    """The minimum of the cubic through two values and slopes, kept inside: N&W eq. (3.59); halfway if there is none."""
    d1 = da + db - 3 * (fa - fb) / (a - b)
    square = d1 * d1 - da * db
    low, high = min(a, b), max(a, b)
    if square >= 0:
        d2 = math.copysign(math.sqrt(square), b - a)
        bottom = db - da + 2 * d2
        if bottom != 0:
            t = b - (b - a) * (db + d2 - d1) / bottom
            margin = 0.1 * (high - low)
            if low <= t <= high:
                return min(max(t, low + margin), high - margin)
    return (low + high) / 2


@njit
def line_search(address, x, f, g, p, alpha, z, gz):
    """Along p from x to a point z that is lower and flatter (strong Wolfe): its value and the trials; NaN if none."""
    slope = dot(g, p)
    low, f_low, d_low = 0.0, f, slope  # the best point so far: an end of every interval that holds a good one
    high, f_high, d_high = 0.0, f, slope
    bracketed = False
    rounding = 4 * EPS * abs(f)  # values that close say nothing: there the slopes alone decide
    for trial in range(1, TRIALS + 1):
        for i in range(x.size):
            z[i] = x[i] + alpha * p[i]
        value = call(address, z, gz)
        d = dot(gz, p)
        if not value <= f + C1 * alpha * slope + rounding or (trial > 1 and value >= f_low + rounding):
            bracketed, high, f_high, d_high = True, alpha, value, d
        else:
            if abs(d) <= -C2 * slope:
                return value, trial
            if d * (high - low) >= 0 if bracketed else d >= 0:
                bracketed, high, f_high, d_high = True, low, f_low, d_low
            low, f_low, d_low = alpha, value, d
        if not bracketed:
            alpha *= 4
        elif abs(f_high) < np.inf and abs(d_high) < np.inf:
            alpha = cubic(low, f_low, d_low, high, f_high, d_high)
        else:
            alpha = low + (high - low) / 10
    return np.nan, TRIALS


@njit
def direction(g, s, y, rho, first, last, p, weight):
    """p = -H g by two loops over the remembered pairs: the newest undone first, then all redone (algorithm 7.4)."""
    for i in range(g.size):
        p[i] = -g[i]
    if last == first:
        return
    for k in range(last - 1, first - 1, -1):
        j = k % M
        weight[j] = rho[j] * dot(s[j], p)
        for i in range(g.size):
            p[i] -= weight[j] * y[j, i]
    j = (last - 1) % M
    scale = 1 / (rho[j] * dot(y[j], y[j]))
    for i in range(g.size):
        p[i] *= scale
    for k in range(first, last):
        j = k % M
        beta = weight[j] - rho[j] * dot(y[j], p)
        for i in range(g.size):
            p[i] += beta * s[j, i]


@njit
def largest(g):
    top = 0.0
    for i in range(g.size):
        top = max(top, abs(g[i])) if abs(g[i]) < np.inf else np.inf
    return top


@njit
def lbfgs(address, x, tolerance):
    """Move x to where no component of the gradient is above the tolerance; returns the evaluations.

    Where no step along p is good, all that is remembered is forgotten; where even the gradient is no way down, it ends.
    """
    n = x.size
    s, y, rho, weight = np.empty((M, n)), np.empty((M, n)), np.empty(M), np.empty(M)
    g, p, z, gz = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    f, evaluations, first, last = call(address, x, g), 1, 0, 0
    for _ in range(STEPS):
        if largest(g) <= tolerance:
            break
        direction(g, s, y, rho, first, last, p, weight)
        alpha = 1.0 if last > first else min(1.0, 1 / math.sqrt(dot(g, g)))
        value, trials = line_search(address, x, f, g, p, alpha, z, gz)
        evaluations += trials
        if not value < np.inf:
            if first == last:
                break
            first = last
            continue
        j = last % M
        for i in range(n):
            s[j, i], y[j, i] = z[i] - x[i], gz[i] - g[i]
            x[i], g[i] = z[i], gz[i]
        f, curvature = value, dot(s[j], y[j])
        if curvature > 0:
            rho[j] = 1 / curvature
            last += 1
            first = max(first, last - M)
    return evaluations


def lbfgs_compiled(addresses, starts, tolerance):
    """The same without a matrix: the last ten steps stand for it; and in compiled code, objective included."""
    results, evaluations = [x.copy() for x in starts], 0
    for address, x in zip(addresses, results, strict=True):
        evaluations += lbfgs(address, x, tolerance)
    return np.concatenate(results), evaluations
