"""Functions of the collection that are linear equations, more of them than can hold.

Numbers and letters of Moré, Garbow, Hillstrom (1981), as in _minimise_objectives: f is the sum of the squares of r.
"""

from __future__ import annotations


def linear(x, g, n):
    """No. 32, of full rank and with 2 n equations, of which only n can hold."""
    f = total = rest = 0.0
    for i in range(n):
        total += x[i]
    for i in range(n):
        r = x[i] - total / n - 1
        f += r * r
        rest += r
        g[i] = 2 * r
    r = -total / n - 1
    f += n * r * r
    for i in range(n):
        g[i] -= 2 * (rest + n * r) / n
    return f


def linear_rank_1(x, g, n):
    """No. 33: n equations for one sum; all of a plane is as good."""
    f = total = pull = 0.0
    for j in range(n):
        total += (j + 1) * x[j]
    for i in range(1, n + 1):
        r = i * total - 1
        f += r * r
        pull += 2 * r * i
    for j in range(n):
        g[j] = pull * (j + 1)
    return f


def linear_rank_1_with_zeros(x, g, n):
    """No. 34: the same, but for the first and last equation and variable, which are not in it."""
    f, total, pull = 2.0, 0.0, 0.0
    for j in range(1, n - 1):
        total += (j + 1) * x[j]
    for i in range(1, n - 1):
        r = i * total - 1
        f += r * r
        pull += 2 * r * i
    g[0] = g[n - 1] = 0.0
    for j in range(1, n - 1):
        g[j] = pull * (j + 1)
    return f
