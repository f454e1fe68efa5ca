"""From a tape of arrays to instructions for a machine that knows only numbers in a row.

f is run once on the ordinary tape.  Each array that it met gets a place among all numbers: x first, then constants and
results as they come.  A shape is nobody's concern there: to reshape is to do nothing, and so is to read neighbouring
rows, since the numbers stay where they are, and so do their adjoints.  What broadcasting repeats is repeated by an
instruction of its own, SPREAD, whose adjoint is a sum: so all others work on equal lengths.

Source: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. (2008), section 4.1; as in all tools that replay
a tape, what is recorded must not depend on x.
"""

from __future__ import annotations

import math

import numpy as np

from maths_exp.calculus._autodiff_tape import Tape, Var

NAMES = ("add", "sub", "mul", "div", "neg", "exp", "log", "tanh", "sum", "matmul", "spread")
ADD, SUB, MUL, DIV, NEG, EXP, LOG, TANH, SUM, MATMUL, SPREAD = range(len(NAMES))
LEFT, RIGHT = 1, 2  # which operands vary with x: nobody asks for the adjoints of the others


class Listing:
    """The instructions so far, each (code, result, left, right, m, k, n, who varies), and the numbers at their places.

    An operation on each number has k of them; a matrix product is (m, k) by (k, n); a sum is one of k numbers; SPREAD
    takes k numbers, each n times in a row, and all of that m times.
    """

    def __init__(self, variable):
        self.instructions, self.numbers, self.end = [], [], 0
        self.places, self.constants = {variable: self.room(variable.value)}, {}

    def room(self, value):
        """A place for an array: that of its first number."""
        self.numbers.append(np.ravel(value))
        self.end += np.size(value)
        return self.end - np.size(value)

    def operand(self, a, shape):
        """The place of a variable or constant, repeated to that shape where it has another."""
        if not isinstance(a, Var):
            key = (id(a) if isinstance(a, np.ndarray) else a, shape)
            if key not in self.constants:
                self.constants[key] = self.room(np.broadcast_to(a, shape))
            return self.constants[key]
        if np.size(a.value) == math.prod(shape):
            return self.places[a]
        place = self.room(np.broadcast_to(a.value, shape))
        self.instructions.append((SPREAD, place, self.places[a], 0, *repeats(np.shape(a.value), shape), LEFT))
        return place

    def translate(self, result, operation, arguments, values):
        """One entry of a tape."""
        a, shape = arguments[0], np.shape(result.value)
        if operation == "reshape":
            self.places[result] = self.places[a]
            return
        if operation == "read":
            self.places[result] = self.places[a] + first_read(values[0], arguments[1])
            return
        m, k, n = 1, math.prod(shape), 1
        shapes = [shape] * len(arguments)
        if operation == "matmul":
            shapes = [value.shape for value in values]
            (m, k), n = shapes[0], shapes[1][1]
        elif operation == "sum":
            shapes, k = [np.shape(values[0])], np.size(values[0])
        left, right = [*(self.operand(a, s) for a, s in zip(arguments, shapes, strict=True)), 0][:2]
        varies = sum(flag for flag, a in zip((LEFT, RIGHT), arguments, strict=False) if isinstance(a, Var))
        self.places[result] = self.room(result.value)
        self.instructions.append((NAMES.index(operation), self.places[result], left, right, m, k, n, varies))


def repeats(shape, wanted):
    """How often all, how many, and how often each number, where broadcasting repeats an array.

    Raises ValueError where that is not one block of numbers.
    """
    padded = (1,) * (len(wanted) - len(shape)) + shape
    own = [axis for axis, length in enumerate(padded) if length != 1]
    first, last = (own[0], own[-1] + 1) if own else (0, 0)
    if padded[first:last] != wanted[first:last]:
        raise ValueError(f"an array of shape {shape} repeated to {wanted} has gaps: reshape it first")
    return math.prod(wanted[:first]), math.prod(shape), math.prod(wanted[last:])


def first_read(value, key):
    """How far from the first number of an array a slice of neighbouring rows begins.

    Raises ValueError for other keys.
    """
    if not isinstance(key, slice) or key.step not in (None, 1):
        raise ValueError(f"instructions read neighbouring rows, x[i:j], and not x[{key}]")
    return key.indices(value.shape[0])[0] * (value.size // max(value.shape[0], 1))


def listed(f, x, *data):
    """The instructions of f at x, (k, 8), all numbers, zeros for as many adjoints, the place of f(x), and x."""
    tape = Tape(np)
    w = tape.variable(x)
    y = f.arrays(tape, w, *data)
    listing = Listing(w)
    for entry in tape.entries:
        listing.translate(*entry)
    numbers = np.concatenate(listing.numbers, dtype=x.dtype)
    instructions = np.array(listing.instructions, np.int64).reshape(-1, 8)
    return instructions, numbers, np.zeros_like(numbers), listing.places[y], x
