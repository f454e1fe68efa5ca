"""Forward mode: numbers $a + b \\varepsilon$ with $\\varepsilon^2 = 0$, and the same with all directions at once.

$f(a + b \\varepsilon) = f(a) + f'(a) b \\varepsilon$: run f on such numbers and the derivative comes along.  The second
part of `Tangents` holds one number a direction, on a last axis of its own, so that shapes match the first part's.

Source: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. (2008), section 3.1; W. K. Clifford, Preliminary sketch
of biquaternions, Proc. London Math. Soc. 4 (1873), 381-395, for the numbers.
"""

from __future__ import annotations

import math

import numpy as np


class Dual:
    """$a + b \\varepsilon$; a plain number has b = 0.  The class is the ``xp`` of its kind."""

    __slots__ = ("a", "b")

    def __init__(self, a, b=0.0):
        self.a, self.b = a, b

    def __add__(self, other):
        other = dual(other)
        return Dual(self.a + other.a, self.b + other.b)

    def __sub__(self, other):
        other = dual(other)
        return Dual(self.a - other.a, self.b - other.b)

    def __mul__(self, other):
        other = dual(other)
        return Dual(self.a * other.a, self.b * other.a + self.a * other.b)

    def __truediv__(self, other):
        other = dual(other)
        y = self.a / other.a
        return Dual(y, (self.b - y * other.b) / other.a)

    def __neg__(self):
        return Dual(-self.a, -self.b)

    def __rsub__(self, other):
        return dual(other) - self

    def __rtruediv__(self, other):
        return dual(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def exp(self):
        """$e^a + e^a b \\varepsilon$."""
        y = math.exp(self.a)
        return Dual(y, y * self.b)

    def log(self):
        """$\\log a + (b / a) \\varepsilon$."""
        return Dual(math.log(self.a), self.b / self.a)

    def tanh(self):
        """$\\tanh a + (1 - \\tanh^2 a) b \\varepsilon$."""
        y = math.tanh(self.a)
        return Dual(y, (1.0 - y * y) * self.b)


def dual(x):
    """x as a dual number."""
    return x if isinstance(x, Dual) else Dual(x)


class Tangents:
    """An array a of some shape, and its derivatives in p directions, b: (*shape, p); the class is the ``xp``."""

    __array_ufunc__ = None  # an array on the left leaves the operation to us

    def __init__(self, a, b):
        self.a, self.b = a, b

    shape = property(lambda self: self.a.shape)

    def __add__(self, other):
        if not isinstance(other, Tangents):
            a = self.a + other
            return Tangents(a, np.broadcast_to(self.b, (*a.shape, self.b.shape[-1])))
        return Tangents(self.a + other.a, self.b + other.b)

    def __mul__(self, other):
        if not isinstance(other, Tangents):
            return Tangents(self.a * other, self.b * (other[..., None] if isinstance(other, np.ndarray) else other))
        return Tangents(self.a * other.a, self.b * other.a[..., None] + self.a[..., None] * other.b)

    def __truediv__(self, other):
        if not isinstance(other, Tangents):
            return self * (1.0 / other)
        y = self.a / other.a
        return Tangents(y, (self.b - y[..., None] * other.b) / other.a[..., None])

    def __rtruediv__(self, other):
        y = other / self.a
        return Tangents(y, -y[..., None] * self.b / self.a[..., None])

    def __neg__(self):
        return Tangents(-self.a, -self.b)

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    __radd__, __rmul__ = __add__, __mul__

    def __getitem__(self, key):
        return Tangents(self.a[key], self.b[key])

    def exp(self):
        y = np.exp(self.a)
        return Tangents(y, y[..., None] * self.b)

    def log(self):
        return Tangents(np.log(self.a), self.b / self.a[..., None])

    def tanh(self):
        y = np.tanh(self.a)
        return Tangents(y, (1.0 - y * y)[..., None] * self.b)

    def sum(self):
        return Tangents(self.a.sum(), self.b.reshape(-1, self.b.shape[-1]).sum(axis=0))

    def reshape(self, shape):
        return Tangents(self.a.reshape(shape), self.b.reshape(*self.a.reshape(shape).shape, self.b.shape[-1]))

    def matmul(self, other):
        """A matrix (m, k), possibly constant, by one (k, q) that is not."""
        if not isinstance(self, Tangents):
            return Tangents(self @ other.a, np.tensordot(self, other.b, 1))
        by_self = np.einsum("mkp,kq->mqp", self.b, other.a, optimize=True)
        return Tangents(self.a @ other.a, by_self + np.tensordot(self.a, other.b, 1))
