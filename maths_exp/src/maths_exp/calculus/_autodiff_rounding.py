"""Numbers that carry the error that rounding may have given them: run a program on them and read off its bound.

A number is (v, m, e, depth): its exact value v; m >= |v|, the same computed with additions only, so that the bound
holds for sums in any order; e >= |computed - v| in arithmetic of unit roundoff u; and how many roundings followed one
another on the longest way here.  Each operation adds its own: $|fl(x \\circ y) - x \\circ y| \\le u |x \\circ y|$.

Run on a tape, this bounds the gradient of the reverse sweep: the errors of the values it uses as well as its own.  The
forward mode uses the same values and multiplies the same partial derivatives, in another order: its own roundings are
at most $\\gamma_{depth} m$, since m adds up the products along all paths from x to y without cancellation.  Dual and
complex numbers spend up to three roundings where the reverse sweep spends one.

Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002), section 3.3; A. Griewank,
A. Walther, Evaluating Derivatives, 2nd ed. (2008), sections 3.2 and 3.4 for sums over paths.
"""

from __future__ import annotations

import numpy as np

ELEMENTARY = 8  # u, of exp, log and tanh: 4 units in the last place is what NumPy allows its vector code at most
COMPLEX = 3  # times as many roundings in the products and quotients of dual and complex numbers


class Rounded:
    """An array of such numbers; ``u`` is the arithmetic's unit roundoff.  The class is the ``xp`` of its kind."""

    __array_ufunc__ = None

    def __init__(self, v, u, m=None, e=None, depth=0):
        self.v, self.u, self.depth = v, u, depth
        self.m = np.abs(v) if m is None else m
        self.e = np.zeros_like(self.m) if e is None else e

    shape = property(lambda self: self.v.shape)
    T = property(lambda self: self.moved(np.transpose))

    def made(self, v, m, e, roundings, *others):
        """A result of this number and others that was rounded so often, e not yet counting that."""
        ku = roundings * self.u
        e = e + ku / (1 - ku) * (m + e)
        return Rounded(v, self.u, m, e, max(self.depth, *(o.depth for o in others), 0) + roundings)

    def bound(self):
        """How far off a derivative may be, in any mode."""
        ku = COMPLEX * self.depth * self.u
        return COMPLEX * self.e + (ku / (1 - ku) * self.m if ku < 1 else np.inf)

    def moved(self, how):
        """The same numbers in other places."""
        return Rounded(how(self.v), self.u, how(self.m), how(self.e), self.depth)

    def number(self, other):
        """A constant as such a number: one that was not given as an array of this precision has been rounded to it."""
        if isinstance(other, Rounded):
            return other
        c = np.asarray(other, self.v.dtype)
        return Rounded(c, self.u, e=2 * self.u * np.abs(c) if isinstance(other, float) else None)

    def __add__(self, other):
        other = self.number(other)
        return self.made(self.v + other.v, self.m + other.m, self.e + other.e, 1, other)

    def __neg__(self):
        return Rounded(-self.v, self.u, self.m, self.e, self.depth)

    def __sub__(self, other):
        return self + -self.number(other)

    def __rsub__(self, other):
        return -self + other

    def __mul__(self, other):
        other = self.number(other)
        e = self.e * other.m + self.m * other.e + self.e * other.e
        return self.made(self.v * other.v, self.m * other.m, e, 1, other)

    def __truediv__(self, other):
        other = self.number(other)
        size = np.abs(other.v)
        m = self.m / size
        e = (self.e + m * other.e) / np.where(other.e < size, size - other.e, 0)
        return self.made(self.v / other.v, m, e, 2, other)

    def __rtruediv__(self, other):
        return self.number(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def __matmul__(self, other):
        other = self.number(other)
        e = self.e @ other.m + self.m @ other.e + self.e @ other.e
        return self.made(self.v @ other.v, self.m @ other.m, e, self.shape[1], other)

    def __rmatmul__(self, other):
        return self.number(other) @ self

    def __getitem__(self, key):
        return self.moved(lambda a: a[key])

    def __setitem__(self, key, value):
        for mine, its in ((self.v, value.v), (self.m, value.m), (self.e, value.e)):
            mine[key] = its
        self.depth = max(self.depth, value.depth)

    def reshape(self, shape):
        return self.moved(lambda a: a.reshape(shape))

    def matmul(self, other):
        """Either may be constant: an array leaves the product to us."""
        return self @ other

    def sum(self, axis=None, keepdims=False):
        """A sum of n terms in any order rounds each at most n - 1 times."""
        v, m, e = (a.sum(axis=axis, keepdims=keepdims) for a in (self.v, self.m, self.e))
        return self.made(v, m, e, max(self.v.size // max(v.size, 1) - 1, 0))

    def broadcast_to(self, shape):
        return self.moved(lambda a: np.broadcast_to(a, shape))

    def zeros_like(self):
        return Rounded(np.zeros_like(self.v), self.u)

    def exp(self):
        y = np.exp(self.v)
        return self.made(y, y, y * np.expm1(self.e), ELEMENTARY)

    def log(self):
        y = np.log(self.v)
        inside = np.where(self.e < self.v, self.e / self.v, 1)  # no logarithm of what may be negative
        return self.made(y, np.abs(y), -np.log1p(-inside), ELEMENTARY)

    def tanh(self):
        """The slope is at most that at the end of the interval nearest to zero."""
        y = np.tanh(self.v)
        flattest = np.cosh(np.minimum(np.maximum(np.abs(self.v) - self.e, 0), 700))
        return self.made(y, np.abs(y), self.e / flattest**2, ELEMENTARY)
