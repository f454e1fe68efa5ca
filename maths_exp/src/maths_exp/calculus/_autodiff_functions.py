"""The functions that are differentiated: each in loops and in array operations, and its gradient worked out by hand.

``xp`` is whoever computes: a module such as `math`, `cmath` or `numpy`, or a tape.  What a function asks of it is in
``_autodiff_tape.RULES``; the operators + - * / come with the numbers.

Source: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. (2008); the Helmholtz energy and Speelpenning's product
are its classic examples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Operations:
    """How many operations of each kind: the price of a derivative differs by kind."""

    add: float = 0  # and subtract
    multiply: float = 0
    scale: float = 0  # multiply by what does not depend on x
    divide: float = 0
    elementary: float = 0  # exp, log, tanh

    @property
    def total(self):
        """All of them, each counted once."""
        return self.add + self.multiply + self.scale + self.divide + self.elementary


@dataclass(frozen=True)
class Function:
    """A function from n numbers to one.

    loops: ``loops(xp, x, *data)``, number after number; x is a sequence of n numbers of any kind.
    arrays: ``arrays(xp, x, *data)``, the same in array operations; x: (n,).
    gradient: ``gradient(x, *data)``, by hand, in the precision of x.
    operations: ``operations(x, *data)``, those of ``loops``.
    """

    loops: Callable[..., object]
    arrays: Callable[..., object]
    gradient: Callable[..., object]
    operations: Callable[..., Operations]


def rosenbrock_loops(xp, x):
    """$\\sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2$, n > 1."""
    total = 0.0
    for i in range(len(x) - 1):
        a = x[i + 1] - x[i] * x[i]
        b = 1.0 - x[i]
        total = total + (100.0 * a * a + b * b)
    return total


def rosenbrock_arrays(xp, x):
    """The same: differences of neighbours."""
    here = x[:-1]
    a = x[1:] - here * here
    b = 1.0 - here
    return xp.sum(100.0 * a * a + b * b)


def rosenbrock_gradient(x):
    """Each x is in two of the sum's terms."""
    g = np.zeros_like(x)
    a = x[1:] - x[:-1] ** 2
    g[1:] += 200 * a
    g[:-1] -= 400 * x[:-1] * a + 2 * (1 - x[:-1])
    return g


def helmholtz_loops(xp, x, A, b):
    """Energy of a mixed gas (Peng and Robinson), R T = 1: $\\sum_i x_i \\log\\frac{x_i}{1 - s} -
    \\frac{x^T A x}{\\sqrt 8 s} \\log\\frac{1 + (1 + \\sqrt 2) s}{1 + (1 - \\sqrt 2) s}$, $s = b^T x < 1$, A symmetric.
    """
    n = len(x)
    s = xAx = ideal = 0.0
    for i in range(n):
        s = s + b[i] * x[i]
    for i in range(n):
        Ax = 0.0
        for j in range(n):
            Ax = Ax + A[i][j] * x[j]
        xAx = xAx + x[i] * Ax
    for i in range(n):
        ideal = ideal + x[i] * xp.log(x[i] / (1.0 - s))
    return ideal - xAx / (8**0.5 * s) * xp.log((1.0 + (1 + 2**0.5) * s) / (1.0 + (1 - 2**0.5) * s))


def helmholtz_arrays(xp, x, A, b):
    """The same: two products with x."""
    s = xp.sum(x * b)
    xAx = xp.sum(x * xp.reshape(xp.matmul(A, xp.reshape(x, (-1, 1))), (-1,)))
    ideal = xp.sum(x * xp.log(x / (1.0 - s)))
    return ideal - xAx / (8**0.5 * s) * xp.log((1.0 + (1 + 2**0.5) * s) / (1.0 + (1 - 2**0.5) * s))


def helmholtz_gradient(x, A, b):
    """By the product and the chain rule; the square roots in the precision of x."""
    root = np.sqrt(x.dtype.type(2))
    s, Ax = b @ x, A @ x
    up, down = 1 + (1 + root) * s, 1 + (1 - root) * s
    L = np.log(up / down)
    slope = (1 + root) / up - (1 - root) / down  # of L over s
    attraction = 2 * Ax * L + (x @ Ax) * b * (slope - L / s)
    return np.log(x / (1 - s)) + 1 + x.sum() * b / (1 - s) - attraction / (2 * root * s)


def helmholtz_operations(x, A, b):
    """A x takes almost all of them."""
    n = len(x)
    return Operations(n * (n + 4) + 3, 2 * n + 1, n * (n + 1) + 3, n + 2, n + 1)


def speelpenning_loops(xp, x):
    """$x_1 x_2 \\cdots x_n$."""
    y = x[0]
    for factor in x[1:]:
        y = y * factor
    return y


def speelpenning_arrays(xp, x):
    """The same by halves: $\\log_2 n$ products of arrays."""
    left = x[:0]
    while x.shape[0] > 1:
        half = x.shape[0] // 2
        if x.shape[0] % 2:
            left = x[2 * half :] if left.shape[0] == 0 else left * x[2 * half :]
        x = x[:half] * x[half : 2 * half]
    return xp.sum(x if left.shape[0] == 0 else x * left)


def speelpenning_gradient(x):
    """All factors before i times all after it.  Rejected: y / x_i, which is 0/0 where a factor is zero."""
    one = np.ones(1, x.dtype)
    before = np.concatenate([one, np.cumprod(x[:-1])])
    after = np.concatenate([one, np.cumprod(x[:0:-1])])[::-1]
    return before * after


rosenbrock = Function(
    rosenbrock_loops,
    rosenbrock_arrays,
    rosenbrock_gradient,
    lambda x: Operations(4 * len(x) - 4, 3 * len(x) - 3, len(x) - 1),
)
helmholtz = Function(
    helmholtz_loops,
    helmholtz_arrays,
    helmholtz_gradient,
    helmholtz_operations,
)
speelpenning = Function(
    speelpenning_loops, speelpenning_arrays, speelpenning_gradient, lambda x: Operations(multiply=len(x) - 1)
)
