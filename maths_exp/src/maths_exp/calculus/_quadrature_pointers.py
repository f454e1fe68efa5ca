"""An integrand as machine code: for one place, as SciPy asks for it, and for all places of a panel at once.

Called through a pointer it is not inlined, which costs 2 ns a call; in return one integrator serves every f.  For a
panel that is nothing, and its places are computed side by side, in vector registers.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import types

import numpy as np

from exp_core.compiled import FUSE, address_of, intrinsic, njit
from maths_exp.calculus import _quadrature_vectors as vectors


@functools.cache
def at_one(f):
    """f(x, p) -> float, compiled by itself; kept on disk where possible."""
    return njit(fastmath=FUSE)(f)


@functools.cache
def at_many(f):
    """fill(centre, half, x, p, y, n): y[i] = f(centre + half * x[i], p) for all i, with ``vectors`` for NumPy in f."""
    names = {name: vectors if value is np else value for name, value in f.__globals__.items()}
    with_vectors = types.FunctionType(f.__code__, names, f.__name__, f.__defaults__, f.__closure__)
    with_vectors.__module__, with_vectors.__qualname__ = f.__module__, f"{f.__qualname__}_with_vectors"
    one = njit(fastmath=FUSE, forceinline=True)(with_vectors)

    def fill(centre, half, x, p, y, n):
        p = p[0], p[1]  # read once: y might lie over it, for all that a compiler knows
        for i in range(n):
            y[i] = one(centre + half * x[i], p)

    fill.__qualname__ = f"{f.__module__}.{f.__qualname__}_at_many"
    return njit(fastmath=FUSE)(fill)


def kinds():
    """Numba's types of a number, of a pointer to numbers, and of a count."""
    numba = importlib.import_module("numba")
    return numba.float64, numba.types.CPointer(numba.float64), numba.int64


@functools.cache
def pointer(f):
    """The address of double f(double x, double *p)."""
    number, numbers, _ = kinds()
    return address_of(at_one(f), number, numbers)


@functools.cache
def panel_pointer(f):
    """The address of void fill(double centre, double half, double *x, double *p, double *y, long n)."""
    number, numbers, count = kinds()
    return address_of(at_many(f), number, number, numbers, numbers, numbers, count)


@intrinsic
def call(typing, address, x, p):
    """The value at x of the C function at that address (an integer); p is the array of its parameters."""
    from llvmlite import ir
    from numba.core import types

    def generate(context, builder, signature, arguments):
        double = ir.DoubleType()
        kind = ir.FunctionType(double, [double, double.as_pointer()])
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        parameters = context.make_array(signature.args[2])(context, builder, arguments[2]).data
        return builder.call(function, [arguments[1], parameters])

    return types.float64(address, types.float64, p), generate


@intrinsic
def fill(typing, address, centre, half, x, p, y):
    """Set y to what the C function at that address gives at centre + half * x; x, p and y are arrays."""
    from llvmlite import ir
    from numba.core import types

    def generate(context, builder, signature, arguments):
        double, count = ir.DoubleType(), ir.IntType(64)
        numbers = [double.as_pointer()] * 3
        kind = ir.FunctionType(ir.VoidType(), [double, double, *numbers, count])
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        x, p, y = (context.make_array(signature.args[i])(context, builder, arguments[i]) for i in (3, 4, 5))
        size = builder.extract_value(x.shape, 0)
        builder.call(function, [*arguments[1:3], x.data, p.data, y.data, size])
        return context.get_dummy_value()

    return types.void(address, types.float64, types.float64, x, p, y), generate


def arrays(integrands):
    """Parameters (n, 2) and ends (n, 2)."""
    return np.array([one.p for one in integrands], float), np.array([(one.a, one.b) for one in integrands], float)


def as_panels(integrands, tolerance):
    """For our compiled code: addresses (n,) of functions that fill panels, parameters, ends, tolerance."""
    return np.array([panel_pointer(one.f) for one in integrands], np.int64), *arrays(integrands), tolerance


def as_pointers(integrands, tolerance):
    """For one place at a time: addresses (n,), parameters, ends, tolerance."""
    return np.array([pointer(one.f) for one in integrands], np.int64), *arrays(integrands), tolerance


def as_callbacks(integrands, tolerance):
    """For SciPy's quad: each integrand with its parameters as a LowLevelCallable, and its ends."""
    from scipy import LowLevelCallable

    kind = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_void_p)
    ready = []
    for one in integrands:
        parameters = (ctypes.c_double * 2)(*one.p)
        function = kind(pointer(one.f))
        ready.append((LowLevelCallable(function, ctypes.cast(parameters, ctypes.c_void_p)), one.a, one.b, parameters))
    return ready, tolerance
