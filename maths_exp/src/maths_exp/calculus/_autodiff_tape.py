"""Reverse mode in one page: write down each operation as it is done, then read the tape backwards.

    tape = Tape(math)                       or numpy, or any module whose functions the numbers understand
    x = tape.variable(2.0)
    y = x * tape.exp(x)                     y = f(tape, x) for a function that is written for any `xp`
    (dy_dx,) = tape.gradients(y, [x])

The same tape serves Python's numbers, NumPy's and MLX's arrays, and numbers that carry their own rounding errors: what
an operation does to adjoints is said once, in RULES, in the operations themselves.

Source: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. (2008), section 3.2; the adjoint $\\bar v$ of a value v
is the derivative of the result y by v.
"""

from __future__ import annotations

from functools import partial


def placed(xp, g, a, key):
    """Zeros of the shape of a, with g in the place that was read."""
    z = xp.zeros_like(a)
    z[key] = g
    return z


# operation    y                               and what the adjoint of each argument gains if that of y is g
RULES = {
    "add":     (lambda xp, a, b: a + b,        lambda xp, g, y, a, b: g,        lambda xp, g, y, a, b: g),
    "sub":     (lambda xp, a, b: a - b,        lambda xp, g, y, a, b: g,        lambda xp, g, y, a, b: -g),
    "mul":     (lambda xp, a, b: a * b,        lambda xp, g, y, a, b: g * b,    lambda xp, g, y, a, b: g * a),
    "div":     (lambda xp, a, b: a / b,        lambda xp, g, y, a, b: g / b,    lambda xp, g, y, a, b: -g / b * y),
    "neg":     (lambda xp, a: -a,              lambda xp, g, y, a: -g),
    "exp":     (lambda xp, a: xp.exp(a),       lambda xp, g, y, a: g * y),
    "log":     (lambda xp, a: xp.log(a),       lambda xp, g, y, a: g / a),
    "tanh":    (lambda xp, a: xp.tanh(a),      lambda xp, g, y, a: g * (1.0 - y * y)),
    "sum":     (lambda xp, a: xp.sum(a),       lambda xp, g, y, a: xp.broadcast_to(g, a.shape)),
    "matmul":  (lambda xp, A, B: A @ B,        lambda xp, g, y, A, B: g @ B.T,  lambda xp, g, y, A, B: A.T @ g),
    "reshape": (lambda xp, a, s: a.reshape(s), lambda xp, g, y, a, s: g.reshape(a.shape)),
    "read":    (lambda xp, a, key: a[key],     lambda xp, g, y, a, key: placed(xp, g, a, key)),
}  # fmt: skip


class Tape:
    """The operations done so far, in order; as ``xp`` it lends its functions to whoever computes with its variables."""

    def __init__(self, xp):
        self.xp = xp
        self.entries = []  # (result, operation, arguments, their values)

    def __getattr__(self, operation):
        if operation not in RULES:
            raise AttributeError(f"a tape knows no {operation}; its rules are {', '.join(RULES)}")
        return partial(self.record, operation)

    def variable(self, value):
        """A value that later operations depend on."""
        return Var(value, self)

    def record(self, operation, *arguments):
        """Do one operation and write it down."""
        forward = RULES[operation][0]
        values = [a.value if isinstance(a, Var) else a for a in arguments]
        result = Var(forward(self.xp, *values), self)
        self.entries.append((result, operation, arguments, values))
        return result

    def gradients(self, y, variables):
        """The derivatives of y, a single number, by each of the variables, in one sweep back over the tape."""
        adjoints = {y: y.value * 0 + 1}
        for result, operation, arguments, values in reversed(self.entries):
            g = adjoints.pop(result, None)
            if g is None:
                continue  # y does not depend on it
            pullbacks = RULES[operation][1:]
            for a, value, pullback in zip(arguments, values, pullbacks, strict=False):  # a shape or a key has none
                if isinstance(a, Var):
                    gain = summed_to(self.xp, pullback(self.xp, g, result.value, *values), value)
                    adjoints[a] = adjoints[a] + gain if a in adjoints else gain
        return [adjoints[x] if x in adjoints else x.value * 0 for x in variables]


class Var:
    """A value on a tape; its operators are written down there."""

    __slots__ = ("tape", "value")

    def __init__(self, value, tape):
        self.value, self.tape = value, tape

    shape = property(lambda self: self.value.shape)

    def __add__(self, other):
        return self.tape.record("add", self, other)

    def __sub__(self, other):
        return self.tape.record("sub", self, other)

    def __mul__(self, other):
        return self.tape.record("mul", self, other)

    def __truediv__(self, other):
        return self.tape.record("div", self, other)

    def __neg__(self):
        return self.tape.record("neg", self)

    def __radd__(self, other):
        return self.tape.record("add", other, self)

    def __rsub__(self, other):
        return self.tape.record("sub", other, self)

    def __rmul__(self, other):
        return self.tape.record("mul", other, self)

    def __rtruediv__(self, other):
        return self.tape.record("div", other, self)

    def __getitem__(self, key):
        return self.tape.record("read", self, key)

    __array_ufunc__ = None  # an array on the left leaves the operation to us


def summed_to(xp, g, a):
    """Broadcasting has repeated a: its adjoint is the sum over what was repeated.  Numbers have no shape."""
    shape = getattr(a, "shape", ())
    if getattr(g, "shape", ()) == shape:
        return g
    for _ in range(len(g.shape) - len(shape)):
        g = xp.sum(g, axis=0)
    for axis, length in enumerate(shape):
        if length == 1 and g.shape[axis] > 1:
            g = xp.sum(g, axis=axis, keepdims=True)
    return g
