"""The arguments f, t and y0 as each kind of solver takes them fastest."""

from __future__ import annotations

from maths_exp.calculus._ode_library import quickest
from maths_exp.calculus._ode_pointers import pointer


def as_lists(f, t, y0):
    """For Python's own arithmetic, which is slow on the numbers of an array."""
    return f, t.tolist(), y0.tolist()


def as_pointer(f, t, y0):
    """For compiled code: f as a C function."""
    return pointer(f), t, y0


def as_callback(f, t, y0):
    """For a library that calls f from C or Python."""
    return quickest(f), t, y0
