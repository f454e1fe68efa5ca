"""Numbers that count what is done with them: a cost model is recounted by running the algorithm on these."""

from __future__ import annotations

import math

import numpy as np


class Tally:
    """Floating-point operations done so far."""

    def __init__(self) -> None:
        self.flops = 0


class Counted:
    """A float whose arithmetic is tallied: + - * / and sqrt count one each; signs, absolute values and tests do not."""

    __slots__ = ("tally", "value")

    def __init__(self, value: float, tally: Tally) -> None:
        self.value = float(value)
        self.tally = tally

    def _count(self, value: float) -> Counted:
        self.tally.flops += 1
        return Counted(value, self.tally)

    def _binary(self, other, formula):
        if isinstance(other, np.ndarray):
            return NotImplemented  # the array takes it element by element
        return self._count(formula(self.value, float(other)))

    def __add__(self, other):
        return self._binary(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self._binary(other, lambda a, b: a - b)

    def __mul__(self, other):
        return self._binary(other, lambda a, b: a * b)

    def __truediv__(self, other):
        return self._binary(other, lambda a, b: a / b)

    def __rsub__(self, other):
        return self._binary(other, lambda a, b: b - a)

    def __rtruediv__(self, other):
        return self._binary(other, lambda a, b: b / a)

    __radd__ = __add__
    __rmul__ = __mul__

    def sqrt(self):
        return self._count(math.sqrt(self.value) if self.value >= 0 else math.nan)  # as NumPy has it

    def __neg__(self):
        return Counted(-self.value, self.tally)

    def __abs__(self):
        return Counted(abs(self.value), self.tally)

    def conjugate(self):
        return self

    def __float__(self):
        return self.value

    def __lt__(self, other):
        return self.value < float(other)

    def __le__(self, other):
        return self.value <= float(other)

    def __gt__(self, other):
        return self.value > float(other)

    def __ge__(self, other):
        return self.value >= float(other)

    def __eq__(self, other):
        return self.value == float(other)

    def __hash__(self):
        return hash(self.value)

    def __bool__(self):
        return bool(self.value)


def counted(array: np.ndarray, tally: Tally) -> np.ndarray:
    """The same array with every float replaced by one that counts."""
    out = np.empty(array.shape, object)
    for index, value in np.ndenumerate(array):
        out[index] = Counted(value, tally)
    return out


class Tallied(np.ndarray):
    """An array whose operations are tallied: matrix products two flops a term, all others one a number."""

    tally: Tally

    def __array_finalize__(self, source):
        self.tally = getattr(source, "tally", None)

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        plain = [np.asarray(x) for x in inputs]
        result = np.asarray(getattr(ufunc, method)(*plain, **options))
        if result.dtype.kind == "f" and ufunc not in (np.negative, np.maximum, np.absolute):
            terms = 2 * plain[0].shape[-1] * result.size if ufunc is np.matmul else result.size
            self.tally.flops += plain[0].size if method == "reduce" else terms
        if out is not None:
            np.asarray(out[0])[...] = result
            return out[0]
        return tallied(result, self.tally) if result.dtype.kind == "f" else result


def tallied(array: np.ndarray, tally: Tally) -> Tallied:
    """The same array, whose operations count."""
    view = np.array(array).view(Tallied)
    view.tally = tally
    return view
