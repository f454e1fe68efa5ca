"""Methods that look where it is needed, in plain Python: one integral of f(x) from a to b."""

from __future__ import annotations

import heapq
import math

from maths_exp.calculus._quadrature_compiled import LIMIT, ORDERS, U
from maths_exp.calculus._quadrature_nodes import double_exponential, kronrod


def panel(f, a, b):
    """The integral over an interval by Kronrod's rule, and QUADPACK's estimate of its error."""
    centre, half = (a + b) / 2, (b - a) / 2
    x, w, w_gauss = kronrod(ORDERS[0])
    y = [f(centre + half * x_i) for x_i in x.tolist()]
    of_kronrod = sum(w_i * y_i for w_i, y_i in zip(w.tolist(), y, strict=True))
    of_gauss = sum(w_i * y_i for w_i, y_i in zip(w_gauss.tolist(), y, strict=True))
    deviation = sum(w_i * abs(y_i - of_kronrod / 2) for w_i, y_i in zip(w.tolist(), y, strict=True))
    rounding = 50 * U * sum(w_i * abs(y_i) for w_i, y_i in zip(w.tolist(), y, strict=True))
    error = abs(of_kronrod - of_gauss)
    if deviation > 0:
        error = deviation * min(1.0, (200 * error / deviation) ** 1.5)
    return half * of_kronrod, half * max(error, rounding)


def gauss_kronrod(f, a, b, tolerance):
    """Bisect where the error is largest: the difference of two rules on the same points, one of them far better."""
    total, total_error = panel(f, a, b)
    heap, n = [(-total_error, a, b, total)], 1
    while total_error > tolerance * max(1.0, abs(total)) and n < LIMIT:
        _, a, b, _ = heapq.heappop(heap)
        middle = (a + b) / 2
        for left, right in ((a, middle), (middle, b)):
            value, error = panel(f, left, right)
            heapq.heappush(heap, (-error, left, right, value))
        total, total_error = sum(one[3] for one in heap), -sum(one[0] for one in heap)
        n += 1
    return total, total_error, (2 * ORDERS[0] + 1) * (2 * n - 1)


def negligible(w, term, total):
    """Whether a term, and those that follow at double exponential speed, would be lost in rounding anyway."""
    return w < U / 8 and abs(term) <= U / 8 * abs(total)


def tanh_sinh(f, a, b, tolerance):
    """Substitute x(t) so that both ends move to infinity, and sum in equal steps of t: singular ends do no harm.

    The terms fall double exponentially, and the trapezoid rule errs by $e^{-c/h}$: half the step, twice the digits.
    Two steps agreed to $10^{-k}$ and the next to $10^{-m}$: the one after that would to $10^{-m^2/k}$.
    Source: D. H. Bailey, K. Jeyabalan, X. S. Li, A comparison of three high-precision quadrature schemes, Experimental
    Mathematics 14 (2005), section 5.
    """
    total, evaluations, before, last_change, error = math.pi / 4 * f((a + b) / 2), 1, math.nan, math.nan, math.inf
    for level, (d, w) in enumerate(double_exponential()):
        for end, span in ((a, b - a), (b, a - b)):
            for d_i, w_i in zip(d.tolist(), w.tolist(), strict=True):
                x = end + span * d_i
                if x == end and end != 0:  # no float lies between
                    break
                term = w_i * f(x)
                total += term
                evaluations += 1
                if negligible(w_i, term, total):
                    break
        value = (b - a) * total * 0.5 ** (level + 1)
        change, scale = abs(value - before), max(1.0, abs(value))
        error = predicted(change / scale, last_change / scale) * scale
        if error <= tolerance * scale:
            break
        before, last_change = value, change
    return value, error, evaluations


def predicted(change, last_change):
    """The next change, from the last two: digits grow in the same ratio, at most twice."""
    if not 0 < change < last_change < 1:
        return U if change == 0 else change
    return max(change ** min(2.0, math.log(change) / math.log(last_change)), U)
