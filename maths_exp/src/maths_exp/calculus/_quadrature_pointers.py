"""An integrand as machine code: one C function double f(double x, double *p), for our compiled code and for SciPy."""

from __future__ import annotations

import ctypes
import functools
import importlib

import numpy as np

from exp_core.compiled import FUSE, intrinsic


@functools.cache
def pointer(f):
    """f(x, p) -> float compiled by itself: Numba's object, whose address is called; kept on disk where possible.

    Called through a pointer it is not inlined, which costs 2 ns a call; in return one integrator serves every f.
    """
    numba = importlib.import_module("numba")
    signature = numba.float64(numba.float64, numba.types.CPointer(numba.float64))
    options = {"error_model": "numpy", "fastmath": set(FUSE)}
    try:
        return numba.cfunc(signature, cache=True, **options)(f)
    except RuntimeError:  # nowhere to keep it: a function typed into a REPL, or a read-only home
        return numba.cfunc(signature, **options)(f)


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


def as_pointers(integrands, tolerance):
    """For compiled code: addresses (n,), parameters (n, 2), ends (n, 2), tolerance."""
    addresses = np.array([pointer(one.f).address for one in integrands], np.int64)
    parameters = np.array([one.p for one in integrands], float)
    return addresses, parameters, np.array([(one.a, one.b) for one in integrands], float), tolerance


def as_callbacks(integrands, tolerance):
    """For SciPy's quad: each integrand with its parameters as a LowLevelCallable, and its ends."""
    from scipy import LowLevelCallable

    kind = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_void_p)
    ready = []
    for one in integrands:
        parameters = (ctypes.c_double * 2)(*one.p)
        function = kind(pointer(one.f).address)
        ready.append((LowLevelCallable(function, ctypes.cast(parameters, ctypes.c_void_p)), one.a, one.b, parameters))
    return ready, tolerance
