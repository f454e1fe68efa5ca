"""What rounding does to a whole training run: sampled, since it grows from step to step as no formula foretells.

One operation's rounding is bounded by theory, but the next step is taken from where the last one led: a run amplifies
what went before by the curvature that it meets.  Monte Carlo arithmetic measures that on the run itself: the same
formula is evaluated in float64, and each operation's result is moved, up or down at random, by as much as the narrower
type may round off there:

    x + y, x - y, xy, x/y, sqrt x      $u |r|$                         the standard model, Higham (2002), (2.4)
    exp, log, tanh, ...                $8u |r|$                        4 units in the last place, as GPUs have it
    sums of n                          $\\gamma_{\\sqrt n} \\sum |x|$    Higham and Mary (2019)
    matrix products                    $\\gamma_{\\sqrt k} |A||B|$      the same, for each sum of k
    sign, maximum, comparison          exact

An implementation is one more sample, whose moves are smaller.  Where a single direction carries the error it is as good
as normal; then a sample more than ten times the largest of eight has a probability below $10^{-7}$: it would have to be
beyond $t\\sigma$ while eight are within $t\\sigma/10$, whatever t is.  In a sum of n each addition rounds by itself,
up or down: then $\\sqrt n$ stands where the worst case has n, and ten times that is exceeded with a probability of
$2 e^{-50}$, in whatever order the sum is taken.

Source: D. S. Parker, B. Pierce, P. R. Eggert, Monte Carlo arithmetic: how to gamble with floating point and win,
Computing in Science & Engineering 2 (2000), 58-68.  N. J. Higham, T. Mary, A new approach to probabilistic rounding
error analysis, SIAM J. Sci. Comput. 41 (2019), A2815-A2835, theorem 3.1.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Callable, Mapping

import numpy as np

from exp_core.nests import arrays_in
from exp_core.tensor import gamma, unit_roundoff

SAMPLES, FACTOR = 8, 10
EXACT = {np.negative, np.absolute, np.maximum, np.minimum, np.sign, np.greater, np.less, np.greater_equal,
         np.less_equal, np.equal, np.not_equal, np.isfinite, np.isnan, np.logical_and, np.logical_or, np.logical_not,
         np.floor, np.conjugate, np.positive}  # fmt: skip
ROUNDED = {np.add, np.subtract, np.multiply, np.divide, np.sqrt, np.square, np.reciprocal}


class Rounding(np.ndarray):
    """A float64 array whose operations round as if they were made in another type, each as badly as it may."""

    dtype_name: str
    rng: np.random.Generator

    def __array_finalize__(self, source):
        self.dtype_name = getattr(source, "dtype_name", "float32")
        self.rng = getattr(source, "rng", None)

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        """The exact result, moved."""
        plain = [np.asarray(x) for x in inputs]
        result = getattr(ufunc, method)(*plain, **options)
        if np.asarray(result).dtype.kind == "f":
            result = np.asarray(result)
            most = self._most(ufunc, method, plain, result, options)
            if most is not None:
                result = result + most * (2.0 * self.rng.integers(0, 2, result.shape, np.int8) - 1.0)
        if out is not None:
            np.asarray(out[0])[...] = result
            return out[0]
        return self._like(result) if np.asarray(result).dtype.kind == "f" else result

    def _like(self, values):
        moved = np.asarray(values).view(Rounding)
        moved.dtype_name, moved.rng = self.dtype_name, self.rng
        return moved

    def _most(self, ufunc, method, plain, result, options):
        """The most that an operation may round off; None for an exact one."""
        u = unit_roundoff(self.dtype_name)
        if ufunc in EXACT:
            return None
        if ufunc is np.matmul:
            return gamma(math.sqrt(plain[0].shape[-1]), self.dtype_name) * (np.abs(plain[0]) @ np.abs(plain[1]))
        if ufunc is np.add and method == "reduce":
            count = plain[0].size / max(result.size, 1)
            return gamma(math.sqrt(count), self.dtype_name) * np.add.reduce(np.abs(plain[0]), **options)
        if method != "__call__":
            raise TypeError(f"how {ufunc.__name__}.{method} rounds is not known here")
        return (u if ufunc in ROUNDED else 8 * u) * np.abs(result)


def rounding(x: np.ndarray, dtype: str, rng: np.random.Generator) -> Rounding:
    """x as such an array."""
    moved = np.array(x, np.float64).view(Rounding)
    moved.dtype_name, moved.rng = dtype, rng
    return moved


def remembered(function: Callable) -> Callable:
    """The same function, which works a result out once for the same inputs: for what oracle and bounds share."""
    known: dict[bytes, object] = {}

    @functools.wraps(function)
    def asked(*inputs):
        digest = hashlib.blake2b(repr([x for x in inputs if not isinstance(x, np.ndarray)]).encode())
        for array in arrays_in(inputs):
            digest.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        key = digest.digest()
        if key not in known:
            while len(known) >= 4:
                del known[next(iter(known))]
            known[key] = function(*inputs)
        return known[key]

    return asked


def sampled_bounds(
    train: Callable, inputs: tuple, laws: Mapping[str, Callable], centre: object, dtype: str = "float32"
) -> dict[str, float]:
    """Each law's bound for a run in a type: the largest error of SAMPLES such runs, times FACTOR.

    train: ``train(*inputs)``: the run in NumPy, in whatever type its floating-point inputs have.
    centre: what it gives in float64; not an oracle's answer, or a wrong formula would widen its own bound.
    """
    worst = dict.fromkeys(laws, 0.0)
    for seed in range(SAMPLES):
        rng = np.random.default_rng(seed)
        moved = [rounding(x, dtype, rng) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in inputs]
        result = tuple(np.asarray(part) for part in train(*moved))
        for name, law in laws.items():
            worst[name] = max(worst[name], law(result, *inputs, centre))
    return {name: FACTOR * error if math.isfinite(error) else math.inf for name, error in worst.items()}


def in_float64(inputs: tuple) -> tuple:
    """The inputs with every floating-point array in float64, for the oracle."""
    return tuple(x.astype(np.float64) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in inputs)
