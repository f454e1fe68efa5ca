"""Eight complex numbers side by side: a value that compiled code can add, subtract and multiply.

LLVM has vectors and Numba does not, and a loop over an array becomes vectors only if LLVM can prove that nothing
overlaps.  Here the vectors are written down: a ``Lanes`` is a pair of LLVM vectors, real parts and imaginary parts.
Eight lanes fill one AVX-512 register with float64, one AVX register with float32; narrower machines take several.
How they come out of memory, go back, and change places: see _fft_moves.
Source: LLVM Language Reference Manual, "Vector Type"; Numba's manual, "Low-level extension API".
"""

from __future__ import annotations

import functools
import operator

LANES = 8
ROW = 2 * LANES  # reals that one Lanes takes in memory
FUSED = ("contract",)  # a multiplication and an addition may be rounded once


@functools.cache
def lanes_class():
    """Numba's type of a Lanes, with its +, - and *."""
    from llvmlite import ir
    from numba.core import types
    from numba.core.typing.templates import AbstractTemplate, infer_global, signature
    from numba.extending import lower_builtin, models, register_model

    class Lanes(types.Type):
        def __init__(self, real):
            self.real = real
            super().__init__(name=f"Lanes({real})")

        def __reduce__(self):  # Numba's disk cache must find this very class again, and it has no name in a module
            return lanes_of, (self.real,)

    @register_model(Lanes)
    class LanesModel(models.PrimitiveModel):
        def __init__(self, manager, lanes):
            vector = ir.VectorType(manager.lookup(lanes.real).get_value_type(), LANES)
            super().__init__(manager, lanes, ir.LiteralStructType([vector, vector]))

    class TwoLanes(AbstractTemplate):
        def generic(self, args, kws):
            a, b = args if len(args) == 2 else (None, None)
            return signature(a, a, b) if isinstance(a, Lanes) and a == b else None

    def define(symbol, formula):
        infer_global(symbol)(type(f"lanes_{symbol.__name__}", (TwoLanes,), {}))

        @lower_builtin(symbol, Lanes, Lanes)
        def lower(context, b, sig, args):
            plus, minus, times = (functools.partial(f, flags=FUSED) for f in (b.fadd, b.fsub, b.fmul))
            return whole(b, *formula(plus, minus, times, *parts(b, args[0]), *parts(b, args[1])))

    define(operator.add, lambda plus, minus, times, ar, ai, br, bi: (plus(ar, br), plus(ai, bi)))
    define(operator.sub, lambda plus, minus, times, ar, ai, br, bi: (minus(ar, br), minus(ai, bi)))
    define(
        operator.mul,
        lambda plus, minus, times, ar, ai, br, bi: (
            minus(times(ar, br), times(ai, bi)),
            plus(times(ar, bi), times(ai, br)),
        ),
    )
    return Lanes


def lanes_of(real):
    """The type of eight complex numbers with such parts."""
    return lanes_class()(real)


def parts(b, z):
    """Real and imaginary vectors of a Lanes."""
    return b.extract_value(z, 0), b.extract_value(z, 1)


def whole(b, re, im):
    """A Lanes of two vectors."""
    from llvmlite import ir

    z = b.insert_value(ir.Constant(ir.LiteralStructType([re.type, im.type]), ir.Undefined), re, 0)
    return b.insert_value(z, im, 1)
