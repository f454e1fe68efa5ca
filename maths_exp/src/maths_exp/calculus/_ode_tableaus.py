"""Two Runge-Kutta methods with step size control and dense output, as tables: a method is its tableau.

Letters of Hairer, Nørsett, Wanner, Solving Ordinary Differential Equations I, 2nd ed. (1993), II.1, counted from 0:

    k[i] = f(t + c[i] h, y + h (a[i][0] k[0] + ... + a[i][i-1] k[i-1]))

The last of the s + 1 rows of the step is the result itself, so that k[s] = f(t + h, y1) is the first k of the next.
Further rows serve the dense output alone.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

F = Fraction


class Tableau(NamedTuple):
    """A method in floats, as the compiled solver wants it."""

    a: np.ndarray  # (all rows, all rows), lower triangular
    c: np.ndarray  # (all rows,)
    e: np.ndarray  # (2, s + 1): weights of the error estimates, of which the second may be zero
    d: np.ndarray  # (1 or 4, all rows): weights of the dense output's higher terms
    q: int  # the error estimate of a step is O(h^q)


# Dormand and Prince's 5(4), the method of DOPRI5: Hairer, Nørsett, Wanner I, table II.5.2
A = (
    (),
    (F(1, 5),),
    (F(3, 40), F(9, 40)),
    (F(44, 45), F(-56, 15), F(32, 9)),
    (F(19372, 6561), F(-25360, 2187), F(64448, 6561), F(-212, 729)),
    (F(9017, 3168), F(-355, 33), F(46732, 5247), F(49, 176), F(-5103, 18656)),
    (F(35, 384), F(0), F(500, 1113), F(125, 192), F(-2187, 6784), F(11, 84)),
)
C = (F(0), F(1, 5), F(3, 10), F(4, 5), F(8, 9), F(1), F(1))
B = (*A[6], F(0))  # order 5
B_HAT = (F(5179, 57600), F(0), F(7571, 16695), F(393, 640), F(-92097, 339200), F(187, 2100), F(1, 40))  # order 4
E = tuple(b - b_hat for b, b_hat in zip(B, B_HAT, strict=True))
# Dense output of order 4, Hairer's subroutine CONTD5: what makes a quartic of the cubic through both ends and slopes.
D = (
    F(-12715105075, 11282082432),
    F(0),
    F(87487479700, 32700410799),
    F(-10690763975, 1880347072),
    F(701980252875, 199316789632),
    F(-1453857185, 822651844),
    F(69997945, 29380423),
)


def lower_triangle(rows):
    """Rows of growing length as a square array, filled up with zeros."""
    square = np.zeros((len(rows), len(rows)))
    for i, row in enumerate(rows):
        square[i, : len(row)] = [float(entry) for entry in row]
    return square


def row(*entries):
    """One row of floats as an array of shape (1, n)."""
    return np.array([[float(entry) for entry in entries]])


DORMAND_PRINCE = Tableau(
    a=lower_triangle(A), c=row(*C)[0], e=np.concatenate([row(*E), np.zeros((1, 7))]), d=row(*D), q=5
)
