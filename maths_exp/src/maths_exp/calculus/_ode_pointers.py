"""A right-hand side as machine code, for solvers that call it through a pointer."""

from __future__ import annotations

import ctypes
import functools
import importlib

from exp_core.compiled import FUSE, address_of, njit


@functools.cache
def machine_code(f):
    """f(t, y) -> tuple of floats, compiled by itself as write(t, y, dy)."""
    right_hand_side = njit(fastmath=FUSE)(f)

    def write(t, y, dy):
        derivatives = right_hand_side(t, y)
        for i in range(len(derivatives)):
            dy[i] = derivatives[i]

    write.__qualname__ = f"{f.__module__}.{f.__qualname__}_as_pointer"
    return njit(write)


@functools.cache
def pointer(f):
    """f(t, y) -> tuple of floats as a C function void f(double t, double y[n], double dy[n]).

    Every compiled solver here takes such a pointer.  A function compiled by itself and called through a pointer is not
    inlined, which costs 4 ns a call; in return the solvers' machine code is stored on disk and serves any f.
    """
    numba = importlib.import_module("numba")
    numbers = ctypes.POINTER(ctypes.c_double)
    kinds = numba.float64, numba.types.CPointer(numba.float64), numba.types.CPointer(numba.float64)
    return ctypes.CFUNCTYPE(None, ctypes.c_double, numbers, numbers)(address_of(machine_code(f), *kinds))
