"""What a gradient may be off by, derived, and what each way to it costs.

The law measures each derivative's error in units of what rounding alone permits (``_autodiff_rounding``): 1 is the
bound of every method that has no error but rounding.  A difference quotient has two errors more.  What its formula
errs by is found by evaluating it in extended precision; and the rounding of f is divided by h.
"""

from __future__ import annotations

import numpy as np

from exp_core import Cost
from exp_core.tensor import unit_roundoff
from maths_exp.calculus._autodiff_rounding import Rounded
from maths_exp.calculus._autodiff_tape import Tape

DOUBLE = 2.0**-53  # unit roundoff of Python's own numbers
FORWARD_H = DOUBLE**0.5  # balances h f''/2 against u f / h
CENTRAL_H = DOUBLE ** (1 / 3)  # and h^2 f'''/6
NODE = 600  # bytes that one operation on the tape takes in Python
LIVE = 12  # arrays of the size of the largest one that are alive at once, at most


def step(x, relative):
    """Steps relative to x that x + h and x - h do not round: h is a power of two."""
    return 2.0 ** np.round(np.log2(relative * np.where(x == 0, 1.0, np.abs(x))))


def wide(*arrays):
    """The arrays in extended precision, where the machine has it."""
    return [a.astype(np.longdouble) for a in arrays]


def exact(f, x, *data):
    """The gradient by hand, in extended precision, and what rounding permits of each derivative: (n,) and (n,)."""
    g = f.gradient(*wide(x, *data))
    tape = Tape(Rounded)
    w = tape.variable(Rounded(wide(x)[0], unit_roundoff(x)))
    (rounded,) = tape.gradients(f.arrays(tape, w, *wide(*data)), [w])
    own = 4 * np.finfo(np.longdouble).eps / unit_roundoff(x)  # the hand's own rounding, in the same units
    return g, (1 + own) * rounded.bound() + float(np.finfo(x.dtype).tiny)


def error(result, f, x, *rest):
    """The worst derivative's error, in units of what rounding permits."""
    *_, (g, permitted) = rest
    return float(np.max(np.abs(np.asarray(result, np.longdouble) - g) / permitted))


def rounding(f, x, *data):
    """Rounding alone."""
    return 1.0


def quotient(relative, central):
    """The bound of difference quotients: the error of the formula, and twice the rounding of f over the step."""

    def bound(f, x, *data):
        g, permitted = exact(f, x, *data)
        (w, *rest), h = wide(x, *data), step(x.astype(np.float64), relative)

        def at(i, move):
            moved = w.copy()
            moved[i] += move
            return f.arrays(Rounded, Rounded(moved, DOUBLE), *rest)

        worst = 0.0
        here = None if central else at(0, 0.0)
        for i in range(x.size):
            up, down = at(i, h[i]), at(i, -h[i]) if central else here
            width = (1 + central) * h[i]
            q = (up.v - down.v) / width
            off = np.abs(q - g[i]) + (up.e + down.e) / width + 4 * DOUBLE * np.abs(q) + unit_roundoff(x) * np.abs(g[i])
            worst = max(worst, float(off / permitted[i]))
        return 1.0 + worst

    return bound


def cost(times, memory):
    """times(counts, n): flops in terms of the function's own; memory(f's operations, x, data): bytes."""

    def of(f, x, *data):
        counts = f.operations(x, *data)
        moved = 2 * x.nbytes + sum(a.nbytes for a in data)
        return Cost(flops=times(counts, x.size), bytes=moved, memory=memory(counts, x, data))

    return of


def lists(counts, x, data):
    """Numbers as Python's objects: 40 bytes each."""
    return 40 * (4 * x.size + sum(a.size for a in data))


def widest(x, data):
    """Numbers of the largest array that an evaluation makes: x, or what a product with the data gives."""
    samples = data[0].shape[0] if data else 1
    return max(x.size, x.size // max(data[0].shape[1], 1) * samples if data else 0, samples)


def on_a_tape(c, n):
    """Forwards one each; backwards a gain for each argument that varies, and adding it to what is there."""
    return 2 * c.add + 4 * c.multiply + 2 * c.scale + 5 * c.divide + 4 * c.elementary


# The operations of each method by kind: add, multiply, scale, divide, elementary.
DIFFERENCES = cost(lambda c, n: (n + 1) * c.total + 2 * n, lists)
CENTRAL = cost(lambda c, n: 2 * n * c.total + 4 * n, lists)
COMPLEX = cost(lambda c, n: n * (2 * c.add + 6 * (c.multiply + c.scale) + 11 * c.divide + 6 * c.elementary), lists)
DUAL = cost(lambda c, n: n * (2 * c.add + 4 * (c.multiply + c.scale) + 4 * c.divide + 3 * c.elementary), lists)
TAPE = cost(on_a_tape, lambda c, x, data: NODE * c.total)
ARRAYS = cost(on_a_tape, lambda c, x, data: LIVE * x.itemsize * (widest(x, data) + x.size))
TANGENTS = cost(
    lambda c, n: c.total + n * (c.add + 3 * c.multiply + c.scale + 3 * c.divide + 2 * c.elementary),
    lambda c, x, data: LIVE * x.itemsize * x.size * widest(x, data),
)
REPLAY = cost(
    lambda c, n: 3 * c.add + 5 * (c.multiply + c.scale) + 5 * c.divide + 4 * c.elementary,
    lambda c, x, data: c.total * (2 * x.itemsize + 9),
)
LISTED = cost(
    on_a_tape, lambda c, x, data: 2 * x.itemsize * (LIVE * (widest(x, data) + x.size) + sum(a.size for a in data))
)
