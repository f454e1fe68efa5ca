"""Where the coefficients come from: Remez's exchange, in decimal arithmetic, with the standard library alone.

A function without a series of its own, such as $(e^r - 1 - r)/r^2$, is approximated by the polynomial whose largest
error on an interval is least.  That error is taken with alternating sign at one more point than there are coefficients
(Chebyshev); Remez finds the points: solve for the polynomial whose errors at the points given are equal and alternate,
move each point to where the error is largest, and repeat.
Source: L. N. Trefethen, Approximation Theory and Approximation Practice (2013), chapter 10.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction

DIGITS = 50  # of the arithmetic
GRID = 24  # places looked at between two points of the reference
PARABOLAS = 3  # each through points much nearer to the place than those before
ROUNDS = 10  # of the exchange; it converges quadratically

Function = Callable[[Decimal], Decimal]


def minimax(f: Function, low: float | Fraction, high: float | Fraction, terms: int) -> tuple[list[Decimal], Decimal]:
    """Coefficients $c_0, c_1, \\dots$ of the polynomial nearest to f on [low, high], and its largest error there."""
    with decimal.localcontext(prec=DIGITS):
        a, b = _decimal(Fraction(low)), _decimal(Fraction(high))
        points = [(a + b) / 2 - (b - a) / 2 * _cosine(i, terms) for i in range(terms + 1)]
        for _ in range(ROUNDS):
            powers = [[x**j if j else Decimal(1) for j in range(terms)] for x in points]
            rows = [[*row, Decimal((-1) ** i)] for i, row in enumerate(powers)]
            *c, _level = _solve(rows, [f(x) for x in points])
            points = _extrema(lambda x: f(x) - _horner(c, x), points, a, b)  # noqa: B023
        return c, max(abs(f(x) - _horner(c, x)) for x in points)


def series(term: Callable[[int], Fraction]) -> Function:
    """The sum of term(j) x^j over j = 0, 1, ...; each term must be a tenth of the one before it, or in the end less."""
    coefficients = [_decimal(term(j)) for j in range(DIGITS)]
    return lambda x: _horner(coefficients, x)


def exp_rest(r: Decimal) -> Decimal:
    """$(e^r - 1 - r)/r^2$."""
    return _EXP(r)


def log_rest(z: Decimal) -> Decimal:
    """$(2\\,\\mathrm{artanh}(s) - 2s)/s^3$ as a function of $z = s^2$."""
    return _LOG(z)


def sin_rest(z: Decimal) -> Decimal:
    """$(\\sin r - r)/r^3$ as a function of $z = r^2$."""
    return _SIN(z)


def tanh_rest(z: Decimal) -> Decimal:
    """$(\\tanh x - x)/x^3$ as a function of $z = x^2$: $\\sinh x - x \\cosh x$ over $x^3 \\cosh x$."""
    return _SINH_REST(z) / _COSH(z)


def _factorial(n: int) -> Fraction:
    return Fraction(math.factorial(n))


def _decimal(x: Fraction) -> Decimal:
    return Decimal(x.numerator) / Decimal(x.denominator)


with decimal.localcontext(prec=DIGITS):
    _EXP = series(lambda j: 1 / _factorial(j + 2))
    _LOG = series(lambda j: Fraction(2, 2 * j + 3))
    _SIN = series(lambda j: -((-1) ** j) / _factorial(2 * j + 3))
    _COSH = series(lambda j: 1 / _factorial(2 * j))
    _SINH_REST = series(lambda j: 1 / _factorial(2 * j + 3) - 1 / _factorial(2 * j + 2))


def _horner(c: Sequence[Decimal], x: Decimal) -> Decimal:
    total = Decimal(0)
    for coefficient in reversed(c):
        total = total * x + coefficient
    return total


def _cosine(i: int, n: int) -> Decimal:
    return Decimal(math.cos(math.pi * i / n))  # where to begin: double precision will do


def _extrema(error: Function, points: list[Decimal], low: Decimal, high: Decimal) -> list[Decimal]:
    """Near each point that where the error is largest, with the sign that it has there: a grid, then parabolas."""
    found = []
    for i, point in enumerate(points):
        left = (points[i - 1] + point) / 2 if i else low
        right = (point + points[i + 1]) / 2 if i + 1 < len(points) else high
        sign, step = (1 if error(point) >= 0 else -1), (right - left) / GRID
        best = max((left + j * step for j in range(GRID + 1)), key=lambda x: sign * error(x))
        for _ in range(PARABOLAS if left < best < right else 0):
            before, here, after = (error(best + j * step) for j in (-1, 0, 1))
            best += step * (before - after) / (2 * (before - 2 * here + after))
            step /= GRID
        found.append(best)
    return found


def _solve(matrix: list[list[Decimal]], right: list[Decimal]) -> list[Decimal]:
    """Gaussian elimination with partial pivoting."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    n = len(rows)
    for j in range(n):
        pivot = max(range(j, n), key=lambda i: abs(rows[i][j]))
        rows[j], rows[pivot] = rows[pivot], rows[j]
        for i in range(j + 1, n):
            factor = rows[i][j] / rows[j][j]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[j], strict=True)]
    x = [Decimal(0)] * n
    for i in reversed(range(n)):
        x[i] = (rows[i][n] - sum((rows[i][j] * x[j] for j in range(i + 1, n)), Decimal(0))) / rows[i][i]
    return x
